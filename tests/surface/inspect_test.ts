import { assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { inspect } from "node:util";
import { connect, DatagramBatch, listen, listenDatagram, socketPair } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { LOOPBACK } from "../support/loopback.ts";
import { TIMEOUT } from "../support/timeout.ts";

noDescriptorLeaks();

/** What console.log prints. */
function shown(object: unknown): string {
  return Deno.inspect(object, { breakLength: Infinity });
}

describe("console.log", TIMEOUT, () => {
  it("shows the class, the transport, the addresses and the state of a TCP connection and its listener", async () => {
    using listener = listen({ hostname: LOOPBACK, port: 0 });
    using conn = await connect({ port: listener.addr.port });
    const { port } = listener.addr;
    assertEquals(shown(listener), `TcpListener { transport: "tcp", addr: "127.0.0.1:${port}", state: "open" }`);
    assertEquals(
      shown(conn),
      `TcpConn { transport: "tcp", localAddr: "127.0.0.1:${conn.localAddr.port}", remoteAddr: "127.0.0.1:${port}", ` +
        'state: "open" }',
    );
    conn.close();
    assertMatch(shown(conn), /^TcpConn \{ .* state: "closed" \}$/);
  });

  it("shows a UDP socket, with its peer if it has one", () => {
    using udp = listenDatagram({ transport: "udp", hostname: "::1" });
    const { port } = udp.addr;
    assertEquals(shown(udp), `UdpSocket { transport: "udp", addr: "[::1]:${port}", state: "open" }`);
    udp.connect({ transport: "udp", hostname: "::1", port: 9 });
    assertEquals(
      shown(udp),
      `UdpSocket { transport: "udp", addr: "[::1]:${port}", remoteAddr: "[::1]:9", state: "open" }`,
    );
  });

  it("shows Unix sockets by their paths", () => {
    const path = `\0berkeley-shown-${Deno.pid}`;
    using unix = listen({ transport: "unix", path });
    using gram = listenDatagram({ transport: "unixgram" });
    const [one, two] = socketPair("seqpacket");
    using _one = one;
    using _two = two;
    assertEquals(shown(unix), `UnixListener { transport: "unix", addr: "@berkeley-shown-${Deno.pid}", state: "open" }`);
    assertEquals(shown(gram), 'UnixDatagram { transport: "unixpacket", addr: "(unnamed)", state: "open" }');
    assertEquals(
      shown(one),
      'SeqpacketConn { transport: "seqpacket", localAddr: "(unnamed)", remoteAddr: "(unnamed)", state: "open" }',
    );
  });

  it("shows a bare socket and a received descriptor by their numbers, a batch by its length", async () => {
    using udp = listenDatagram({ transport: "udp", hostname: LOOPBACK });
    const [one, two] = socketPair("stream");
    using _one = one;
    using _two = two;
    await one.sendMessage({ data: Uint8Array.of(1), fds: [udp] });
    using owned = (await two.receiveMessage())!.fds[0]!;
    assertEquals(shown(udp.socket), `Socket { fd: ${udp.socket.fd}, state: "open" }`);
    assertEquals(shown(owned), `OwnedFd { fd: ${owned.fd}, state: "open" }`);
    owned.close();
    assertEquals(shown(owned), 'OwnedFd { state: "closed" }');
    assertEquals(shown(new DatagramBatch()), "DatagramBatch { length: 0 }");
  });

  it("shows prototypes, and objects that were made from them, without failing", () => {
    using listener = listen({ hostname: LOOPBACK, port: 0 });
    for (const object of [listener, listener.socket, new DatagramBatch()]) {
      const prototype = Object.getPrototypeOf(object);
      assertEquals(shown(prototype), `${object.constructor.name}.prototype`);
      assertEquals(shown(Object.create(prototype)), `${object.constructor.name} {}`);
    }
  });

  it("shows the same inside other objects, and by Node's util.inspect", () => {
    using udp = listenDatagram({ transport: "udp", hostname: LOOPBACK });
    assertEquals(shown([udp]), `[ ${shown(udp)} ]`);
    assertMatch(inspect(udp), /^UdpSocket \{\s*transport: 'udp',\s*addr: '127\.0\.0\.1:\d+',\s*state: 'open'\s*\}$/);
  });

  it("shows a prototype as one", () => {
    using udp = listenDatagram({ transport: "udp", hostname: LOOPBACK });
    assertEquals(shown(Object.getPrototypeOf(udp)), "UdpSocket.prototype");
  });
});
