/**
 * Tries ways round a grant for 127.0.0.1 and none for files, and tells how each went: a JSON object of attempt to
 * outcome on standard output. The path of a Unix socket that must stay out of reach is on the command line.
 *
 * @module
 */
import { connect, listen, listenDatagram, Socket } from "../../../mod.ts";

const path = Deno.args[0]!;

/** A host that is another when it is read again. */
function changing<T extends object>(address: T): T & { hostname: string } {
  let reads = 0;
  return Object.defineProperty(address, "hostname", {
    get: () => reads++ === 0 ? "127.0.0.1" : "127.0.0.2",
    enumerable: true,
  }) as T & { hostname: string };
}

/** A kind of socket that no grant for a host allows, by the numbers of Linux. */
function opens(domain: number | "inet" | "inet6" | "unix", type: number | "stream" | "dgram" | "raw", protocol = 0) {
  return () => Socket.open(domain, type, protocol).close();
}

function sets(domain: "inet" | "inet6", level: number, name: number, value: Uint8Array | number) {
  return () => {
    using socket = Socket.open(domain, "dgram");
    socket.setRawOption(level, name, value);
  };
}

/** Sends one datagram to 127.0.0.1 with a control message. */
function sends(domain: "inet" | "inet6", level: number, type: number, data: Uint8Array) {
  return async () => {
    using socket = Socket.open(domain, "dgram");
    const hostname = domain === "inet" ? "127.0.0.1" : "::ffff:127.0.0.1";
    const to = { transport: "udp", hostname, port: 9 } as const;
    await socket.send(new Uint8Array(1), to, { control: [{ level, type, data }] });
  };
}

async function accepted(hostnameOf: (port: number) => Promise<{ remoteAddr: Deno.Addr; close(): void }>) {
  using listener = listen({ hostname: "127.0.0.1", port: 0 });
  const conn = await hostnameOf(listener.addr.port);
  conn.close();
  return (conn.remoteAddr as Deno.NetAddr).hostname;
}

/** A routing header of type 2 by way of ::1. */
const ROUTE = Uint8Array.of(0, 2, 0, 1, 0, 0, 0, 0, ...new Uint8Array(15), 1);
/** Loose source routing by way of 127.0.0.2. */
const SOURCE_ROUTE = Uint8Array.of(131, 7, 4, 127, 0, 0, 2, 0);

const ATTEMPTS: Record<string, () => unknown> = {
  "open inet stream": opens("inet", "stream"),
  "open 2, 2": opens(2, 2),
  "open 10, 1": opens(10, 1),
  "open unix, 5": opens("unix", 5),
  "open inet, raw": opens("inet", "raw", 1),
  "open inet, 3": opens("inet", 3, 1),
  "open inet, raw | SOCK_NONBLOCK": opens("inet", 3 | 0x800, 1),
  "open inet6, raw | SOCK_CLOEXEC": opens("inet6", 3 | 0x80000, 58),
  "open inet, stream | SOCK_CLOEXEC": opens("inet", 1 | 0x80000),
  "open inet, SOCK_PACKET": opens("inet", 10, 0x0300),
  "open AF_PACKET": opens(17, "dgram", 0x0300),
  "open AF_NETLINK": opens(16, "dgram"),
  "open inet, raw + 2 ** 32": opens("inet", 3 + 2 ** 32, 1),
  "open inet + 2 ** 32": opens(2 + 2 ** 32, 2),
  "open AF_PACKET - 2 ** 32": opens(17 - 2 ** 32, 2),
  "open inet, 1.5": opens("inet", 1.5),

  "connect, host read twice": () => accepted((port) => connect(changing({ port }))),
  "localAddress read twice": () =>
    accepted(async (port) => {
      const conn = await connect({ port, localAddress: changing({}) });
      conn.close();
      return { remoteAddr: conn.localAddr, close() {} };
    }),
  "listen, host read twice": () => {
    using listener = listen(changing({ port: 0 }));
    return listener.addr.hostname;
  },
  "listenDatagram, host read twice": () => {
    using udp = listenDatagram(changing({ transport: "udp" as const, port: 0 }));
    return udp.addr.hostname;
  },
  "udp connect, host read twice": () => {
    using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
    udp.connect(changing({ transport: "udp" as const, port: 9 }));
    return udp.remoteAddr?.hostname;
  },
  "Socket.bind, host read twice": () => {
    using socket = Socket.open("inet", "dgram");
    socket.bind(changing({ transport: "udp" as const, port: 0 }));
    return "bound";
  },

  "a host called as a socket": () => connect({ hostname: `unix:${path}`, port: 1 }),
  "and then that socket": () => connect({ transport: "unix", path: `${path}:1` }),
  "a destination called as a socket": async () => {
    using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
    await udp.send(new Uint8Array(1), { transport: "udp", hostname: `unix:${path}`, port: 1 });
  },

  "IP_OPTIONS": sets("inet", 0, 4, SOURCE_ROUTE),
  "IP_XFRM_POLICY": sets("inet", 0, 17, new Uint8Array(4)),
  "IPT_SO_SET_REPLACE": sets("inet", 0, 64, new Uint8Array(4)),
  "IPV6_RTHDR": sets("inet6", 41, 57, ROUTE),
  "IPV6_2292PKTOPTIONS": sets("inet6", 41, 6, new Uint8Array(0)),
  "IPV6_FLOWLABEL_MGR": sets("inet6", 41, 32, new Uint8Array(32)),
  "IPV6_HOPOPTS": sets("inet6", 41, 54, new Uint8Array(8)),
  "SCTP_SOCKOPT_CONNECTX": sets("inet", 132, 110, SOURCE_ROUTE),
  "IP_TTL": sets("inet", 0, 2, 3),
  "IP_MINTTL": sets("inet", 0, 21, 3),
  "IPV6_TCLASS": sets("inet6", 41, 67, 8),
  "SO_PRIORITY": sets("inet", 1, 12, 3),

  "control message IP_RETOPTS": sends("inet", 0, 7, SOURCE_ROUTE),
  "control message IPV6_RTHDR": sends("inet6", 41, 57, ROUTE),
  "control message IPV6_DSTOPTS": sends("inet6", 41, 59, new Uint8Array(8)),
  "control message SCTP_DSTADDRV4": sends("inet", 132, 8, Uint8Array.of(127, 0, 0, 2)),
  "control message IP_PKTINFO": sends("inet", 0, 8, Uint8Array.of(0, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0)),
  "control message IP_TTL": sends("inet", 0, 2, Uint8Array.of(3, 0, 0, 0)),
  "getRawOption of SCTP_SOCKOPT_CONNECTX3": () => {
    using socket = Socket.open("inet", "dgram");
    socket.getRawOption(132, 111, new Uint8Array(16));
  },

  "Socket.bind to no name": () => {
    using socket = Socket.open("unix", "dgram");
    socket.bind({ transport: "unixpacket", path: null });
  },
  "Socket.bind to an empty name": () => {
    using socket = Socket.open("unix", "stream");
    socket.bind({ transport: "unix", path: "" });
  },
  "Socket.bind to the bytes of no name": () => {
    using socket = Socket.open("unix", "dgram");
    socket.bind(Uint8Array.of(1, 0));
  },
  "listenDatagram at no name": () => listenDatagram({ transport: "unixgram", path: "" }).close(),

  "bytes of AF_INET that are too short": () => {
    using socket = Socket.open("inet", "dgram");
    socket.bind(Uint8Array.of(2, 0, 0, 0, 127, 0, 0, 1));
  },
  "bytes of AF_UNIX that are not UTF-8": () => {
    using socket = Socket.open("unix", "dgram");
    socket.bind(Uint8Array.of(1, 0, 0x2f, 0xff, 0));
  },
  "bytes of an abstract name that are not UTF-8": () => {
    using socket = Socket.open("unix", "dgram");
    socket.bind(Uint8Array.of(1, 0, 0, 0xff));
  },
};

const outcomes: Record<string, string> = {};
for (const [name, attempt] of Object.entries(ATTEMPTS)) {
  try {
    outcomes[name] = String(await attempt() ?? "passes");
  } catch (error) {
    const { name: kind, message } = error as Error;
    outcomes[name] = kind === "NotCapable" ? message.replace(/,.*/, "") : kind;
  }
}
console.log(JSON.stringify(outcomes));
