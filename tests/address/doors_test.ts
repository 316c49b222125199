import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { connect, listen, listenDatagram, Socket, sockopt } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { notSettable } from "../support/kernel.ts";
import { LOOPBACK } from "../support/loopback.ts";
import { startDeno } from "../support/process.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { abstractName, Directory, noAbstractNames, notLinux } from "../unix/support.ts";

noDescriptorLeaks();

const PROGRAM = new URL("./programs/doors.ts", import.meta.url);

/** How each attempt goes with a grant for 127.0.0.1 alone. What says "Requires" is NotCapable. */
const OUTCOMES: Readonly<Record<string, string>> = {
  "open inet stream": "passes",
  "open 2, 2": "passes",
  "open 10, 1": "passes",
  "open unix, 5": "passes",
  "open inet, raw": 'Requires net access to "sockets of domain inet and type raw"',
  "open inet, 3": 'Requires net access to "sockets of domain inet and type 3"',
  "open inet, raw | SOCK_NONBLOCK": 'Requires net access to "sockets of domain inet and type 2051"',
  "open inet6, raw | SOCK_CLOEXEC": 'Requires net access to "sockets of domain inet6 and type 524291"',
  "open inet, stream | SOCK_CLOEXEC": 'Requires net access to "sockets of domain inet and type 524289"',
  "open inet, SOCK_PACKET": 'Requires net access to "sockets of domain inet and type 10"',
  "open AF_PACKET": 'Requires net access to "sockets of domain 17 and type dgram"',
  "open AF_NETLINK": 'Requires net access to "sockets of domain 16 and type dgram"',
  "open inet, raw + 2 ** 32": "RangeError",
  "open inet + 2 ** 32": "RangeError",
  "open AF_PACKET - 2 ** 32": "RangeError",
  "open inet, 1.5": "TypeError",
  "connect, host read twice": "127.0.0.1",
  "localAddress read twice": "127.0.0.1",
  "listen, host read twice": "127.0.0.1",
  "listenDatagram, host read twice": "127.0.0.1",
  "udp connect, host read twice": "127.0.0.1",
  "Socket.bind, host read twice": "bound",
  "a host called as a socket": "TypeError",
  "and then that socket": 'Requires read access to "$:1"',
  "a destination called as a socket": "TypeError",
  "IP_OPTIONS": 'Requires net access to "level 0 option 4"',
  "IP_XFRM_POLICY": 'Requires net access to "level 0 option 17"',
  "IPT_SO_SET_REPLACE": 'Requires net access to "level 0 option 64"',
  "IPV6_RTHDR": 'Requires net access to "level 41 option 57"',
  "IPV6_2292PKTOPTIONS": 'Requires net access to "level 41 option 6"',
  "IPV6_FLOWLABEL_MGR": 'Requires net access to "level 41 option 32"',
  "IPV6_HOPOPTS": 'Requires net access to "level 41 option 54"',
  "SCTP_SOCKOPT_CONNECTX": 'Requires net access to "level 132 option 110"',
  "IP_TTL": "passes",
  "IP_MINTTL": "passes",
  "IPV6_TCLASS": "passes",
  "SO_PRIORITY": "passes",
  "control message IP_RETOPTS": 'Requires net access to "control messages of level 0 and type 7"',
  "control message IPV6_RTHDR": 'Requires net access to "control messages of level 41 and type 57"',
  "control message IPV6_DSTOPTS": 'Requires net access to "control messages of level 41 and type 59"',
  "control message SCTP_DSTADDRV4": 'Requires net access to "control messages of level 132 and type 8"',
  "control message IP_PKTINFO": "passes",
  "control message IP_TTL": "passes",
  "getRawOption of SCTP_SOCKOPT_CONNECTX3": 'Requires net access to "level 132 option 111"',
  "Socket.bind to no name": 'Requires net access to "unix:@"',
  "Socket.bind to an empty name": 'Requires net access to "unix:@"',
  "Socket.bind to the bytes of no name": 'Requires net access to "unix:@"',
  "listenDatagram at no name": 'Requires net access to "unix:@"',
  "bytes of AF_INET that are too short": 'Requires net access to "address family 2"',
  "bytes of AF_UNIX that are not UTF-8": 'Requires read access to "address family 1"',
  "bytes of an abstract name that are not UTF-8": 'Requires net access to "address family 1"',
};

describe("With a grant for one host", TIMEOUT, () => {
  itUnless(notLinux, "no function reaches another host", async () => {
    using directory = new Directory();
    const path = directory.file("live");
    using _live = listen({ transport: "unix", path: `${path}:0` });
    const { success, stdout, report } = await startDeno(PROGRAM, {
      flags: ["--allow-ffi", `--allow-net=${LOOPBACK},unix:${path}:0`],
      args: [path],
    }).finished();
    assert(success, report);
    const unknown = notSettable(() => Socket.open("inet", "dgram"), sockopt.IP_MINTTL, 3) !== null;
    const outcomes = unknown ? { ...OUTCOMES, IP_MINTTL: "Error" } : OUTCOMES;
    assertEquals(JSON.parse(stdout.replaceAll(path, "$")), outcomes);
  });
});

/** An address that counts how often each of its members is read. */
function counted<T extends object>(address: T): { address: T; reads: Record<string, number> } {
  const reads: Record<string, number> = {};
  const proxy = new Proxy(address, {
    get(target, name, receiver) {
      reads[String(name)] = (reads[String(name)] ?? 0) + 1;
      return Reflect.get(target, name, receiver);
    },
  });
  return { address: proxy, reads };
}

describe("An address", TIMEOUT, () => {
  const data = new Uint8Array(1);
  const inet = { transport: "udp", hostname: LOOPBACK, port: 47_815 } as const;

  /** What takes an address, each done twice: remembering must not read more. */
  const uses: Record<string, (address: () => Deno.NetAddr) => unknown> = {
    "send": async (address) => {
      using udp = listenDatagram({ transport: "udp", hostname: LOOPBACK });
      await udp.send(data, address());
      await udp.send(data, address());
    },
    "sendMany": async (address) => {
      using udp = listenDatagram({ transport: "udp", hostname: LOOPBACK });
      await udp.sendMany([{ data, addr: address() }, { data, addr: address() }]);
    },
    "sendSegments": async (address) => {
      using udp = listenDatagram({ transport: "udp", hostname: LOOPBACK });
      await udp.sendSegments(data, 1, address());
    },
    "connect of a UDP socket": (address) => {
      using udp = listenDatagram({ transport: "udp", hostname: LOOPBACK });
      udp.connect(address());
    },
    "Socket.send": async (address) => {
      using socket = Socket.open("inet", "dgram");
      await socket.send(data, address());
    },
    "Socket.connect": async (address) => {
      using socket = Socket.open("inet", "dgram");
      await socket.connect(address());
    },
    "Socket.bind": (address) => {
      using socket = Socket.open("inet", "dgram");
      socket.bind(address());
    },
  };

  for (const [name, use] of Object.entries(uses)) {
    it(`is read once by ${name}`, async () => {
      const all: Record<string, number>[] = [];
      await use(() => {
        const { address, reads } = counted<Deno.NetAddr>({ ...inet });
        all.push(reads);
        return address;
      });
      assert(all.length > 0);
      for (const { hostname, port, transport = 1 } of all) {
        assertEquals([hostname, port], [1, 1]);
        assert(transport <= 1);
      }
    });
  }

  itUnless(noAbstractNames, "of a Unix socket is read once by every use", async () => {
    using sink = listenDatagram({ transport: "unixgram", path: abstractName() });
    using live = listen({ transport: "unix", path: abstractName() });
    const at = (path: string) => counted({ transport: "unixpacket" as const, path });
    using source = listenDatagram({ transport: "unixgram" });
    using plain = Socket.open("unix", "dgram");
    using bound = Socket.open("unix", "dgram");
    using stream = Socket.open("unix", "stream");
    const all = [sink, sink, sink, live].map(({ addr }) => at((addr as Deno.UnixAddr).path));
    const [sent, again, told, dialled] = all;
    await source.send(data, sent!.address);
    await source.send(data, again!.address);
    await plain.send(data, told!.address);
    await stream.connect(dialled!.address);
    const named = at(abstractName());
    bound.bind(named.address);
    for (const { reads } of [...all, named]) assertEquals(reads.path, 1);
  });

  it("whose members change is taken as it was read", async () => {
    using listener = listen({ hostname: LOOPBACK, port: 0 });
    const ports = [listener.addr.port, 1, 1];
    const options = {
      hostname: LOOPBACK,
      get port() {
        return ports.shift()!;
      },
    };
    using conn = await connect(options);
    assertEquals(conn.remoteAddr.port, listener.addr.port);
  });
});
