import { assert, assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { connect, listen, listenDatagram, type OwnedFd, type UnixConn } from "../../mod.ts";
import { TcpListener } from "../../ffi/tcp/tcp.ts";
import { UdpSocket } from "../../ffi/udp/udp.ts";
import { bytes, text } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { LOOPBACK } from "../support/loopback.ts";
import { type Child, start } from "../support/process.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { Directory, readText } from "../unix/support.ts";

noDescriptorLeaks();

const noPython = await missingCommands("python3");

/** Dials a path and passes a listening TCP socket and a UDP socket, which it then closes. */
const GIVER = `
import socket, sys
tcp = socket.create_server(("${LOOPBACK}", 0))
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("${LOOPBACK}", 0))
print("ports", tcp.getsockname()[1], udp.getsockname()[1], flush=True)
peer = socket.socket(socket.AF_UNIX, getattr(socket, sys.argv[2]))
peer.connect(sys.argv[1])
socket.send_fds(peer, [b"take", b" these"], [tcp.fileno(), udp.fileno()])
tcp.close()
udp.close()
print("given", flush=True)
peer.recv(1)
`;

/** Listens at a path, takes a listening TCP socket and a UDP socket, and serves one client on each. */
const TAKER = `
import socket, sys
server = socket.socket(socket.AF_UNIX, getattr(socket, sys.argv[2]))
server.bind(sys.argv[1])
server.listen()
print("ready", flush=True)
peer, _ = server.accept()
data, fds, flags, _ = socket.recv_fds(peer, 1024, 8)
print("taken", data.decode(), len(fds), flush=True)
tcp, udp = (socket.socket(fileno=fd) for fd in fds)
tcp.setblocking(True)
udp.setblocking(True)
client, _ = tcp.accept()
client.sendall(client.recv(1024).upper())
client.close()
data, sender = udp.recvfrom(1024)
udp.sendto(data.upper(), sender)
`;

/** Prints its own credentials, and those that it receives. */
const CREDENTIALS = `
import os, socket, struct, sys
peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
peer.connect(sys.argv[1])
peer.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
peer.sendall(b"hello")
data, ancillary, flags, _ = peer.recvmsg(1024, 1024)
for level, kind, value in ancillary:
    if kind == socket.SCM_CREDENTIALS:
        print("credentials", *struct.unpack("3i", value), flush=True)
`;

function python(script: string, ...args: string[]): Child {
  return start("python3", ["-c", script, ...args]);
}

/** Serves one connection, and one datagram, on what was received. */
async function serve(tcp: OwnedFd, udp: OwnedFd, ports: readonly number[]): Promise<void> {
  using listener = tcp.open();
  using socket = udp.open();
  assert(listener instanceof TcpListener && socket instanceof UdpSocket);
  assertEquals([listener.addr.port, socket.addr.port], ports);

  using client = await connect({ hostname: LOOPBACK, port: listener.addr.port });
  using accepted = await listener.accept();
  await accepted.write(bytes("welcome"));
  assertEquals(await readText(client), "welcome");

  using sender = listenDatagram({ transport: "udp", hostname: LOOPBACK });
  await sender.send(bytes("datagram"), socket.addr);
  const [data, from] = await socket.receive();
  assertEquals([text(data), from], ["datagram", sender.addr]);
}

/** Both kinds of connection that pass descriptors: ours and Python's names, how to listen and how to dial. */
const KINDS = [
  {
    name: "a stream",
    type: "SOCK_STREAM",
    listen: (path: string) => listen({ transport: "unix", path }),
    connect: (path: string) => connect({ transport: "unix", path }),
  },
  {
    name: "seqpacket",
    type: "SOCK_SEQPACKET",
    listen: (path: string) => listen({ transport: "seqpacket", path }),
    connect: (path: string) => connect({ transport: "seqpacket", path }),
  },
] as const;

for (const { name, type, ...open } of KINDS) {
  describe(`Python, over ${name},`, TIMEOUT, () => {
    itUnless(noPython, "passes a listening TCP socket and a UDP socket, which work here", async () => {
      using directory = new Directory();
      using listener = open.listen(directory.file());
      await using giver = python(GIVER, directory.file(), type);
      const [, ...ports] = await giver.waitForLine(/^ports (\d+) (\d+)$/);
      using conn = await listener.accept();
      const message = await conn.receiveMessage();
      await giver.waitForLine(/^given$/);
      assertEquals([text(message!.data), message!.fds.length, message!.truncated], ["take these", 2, false]);
      await serve(message!.fds[0]!, message!.fds[1]!, ports.map(Number));
      conn.close();
      const { success, report } = await giver.finished();
      assert(success, report);
    });

    itUnless(noPython, "receives a listening TCP socket and a UDP socket, and serves on them", async () => {
      using directory = new Directory();
      await using taker = python(TAKER, directory.file(), type);
      await taker.waitForLine(/^ready$/);
      using conn = await open.connect(directory.file());
      const tcp = listen({ hostname: LOOPBACK, port: 0 });
      const udp = listenDatagram({ transport: "udp", hostname: LOOPBACK });
      await conn.sendMessage({ data: bytes("take these"), fds: [tcp, udp] });
      await taker.waitForLine(/^taken take these 2$/);
      const { port } = tcp.addr;
      tcp.close();
      udp.close();

      using client = await connect({ hostname: LOOPBACK, port });
      await client.write(bytes("over tcp"));
      assertEquals(await readText(client), "OVER TCP", taker.report());
      using sender = listenDatagram({ transport: "udp", hostname: LOOPBACK });
      await sender.send(bytes("over udp"), udp.addr);
      assertEquals(text((await sender.receive())[0]), "OVER UDP", taker.report());
      const { success, report } = await taker.finished();
      assert(success, report);
    });
  });
}

describe("Python", TIMEOUT, () => {
  itUnless(
    noPython ?? (Deno.build.os === "linux" ? null : "needs Linux"),
    "gets the credentials of this process, and this process its",
    async () => {
      using directory = new Directory();
      using listener = listen({ transport: "unix", path: directory.file() });
      await using child = python(CREDENTIALS, directory.file());
      using conn: UnixConn = await listener.accept();
      const { credentials } = (await conn.receiveMessage({ credentials: true }))!;
      assertEquals(conn.peerCredentials().pid, child.pid);
      assertEquals(credentials?.pid, child.pid);
      await conn.sendMessage({ data: bytes("x") });
      await child.waitForLine(new RegExp(`^credentials ${Deno.pid} ${Deno.uid()} ${Deno.gid()}$`));
      const { success, report } = await child.finished();
      assert(success, report);
    },
  );
});
