/**
 * What the kernels of macOS and FreeBSD do otherwise than Linux, by the numbers that the double's sources have for it,
 * each with what this module makes of it.
 *
 * @module
 */
import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { connect, listen, listenDatagram, msg, Socket, socketPair, sockopt, type UnixConn } from "../../mod.ts";
import { libc } from "../../ffi/libc/libc.ts";
import { bytes, pattern, text } from "../support/bytes.ts";
import { descriptorCount, noDescriptorLeaks } from "../support/descriptors.ts";
import { LOOPBACK } from "../support/loopback.ts";
import { isPending, rejection } from "../support/promises.ts";
import { itUnless } from "../support/skipping.ts";
import { linuxTable, noSeqpacket } from "../support/systems.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { connectedPair } from "../tcp/support.ts";
import { openUdp } from "../udp/support.ts";
import { Directory } from "../unix/support.ts";

noDescriptorLeaks();

const { system } = libc();
const linux = linuxTable ? "runs over a double: deno task test:double" : null;
const notMac = linux ?? (system.constants.LOCAL_PEERPID === 0 ? "LOCAL_PEERPID is macOS's" : null);

function streams(): [UnixConn, UnixConn] & Disposable {
  const [one, two] = socketPair("stream");
  const close = () => [one, two].forEach((conn) => conn[Symbol.dispose]());
  return Object.assign([one, two] as [UnixConn, UnixConn], { [Symbol.dispose]: close });
}

describe("A kernel of BSD", TIMEOUT, () => {
  itUnless(linux, "1: refuses a name and control messages of no length: sends have neither", async () => {
    using pair = streams();
    const [one, two] = pair;
    assertEquals(await one.write(bytes("a")), 1);
    assertEquals(await one.sendMessage({ data: bytes("b") }), 1);
    assertEquals(await one.write([bytes("c"), bytes("d")]), 2);
    assertEquals(await two.read(new Uint8Array(8)), 4);
    using receiver = openUdp();
    using sender = openUdp();
    await sender.sendMany([{ data: bytes("e"), addr: receiver.addr }, { data: bytes("f"), addr: receiver.addr }]);
    sender.connect(receiver.addr);
    await sender.send(bytes("g"));
    for (const letter of "efg") assertEquals(text((await receiver.receive())[0]), letter);
  });

  itUnless(linux, "2: returns the flags of the call: those of the message are told apart", async () => {
    using socket = Socket.open("inet", "dgram");
    socket.bind({ transport: "udp", hostname: LOOPBACK, port: 0 });
    for (const flags of [msg.MSG_PEEK, msg.MSG_PEEK | msg.MSG_TRUNC, msg.MSG_TRUNC]) {
      await socket.send(bytes("hello"), socket.localAddr);
      const whole = await socket.receive(new Uint8Array(8), { flags });
      assertEquals([whole.length, whole.flags], [5, 0], String(flags));
      await socket.send(bytes("hello"), socket.localAddr);
      const cut = await socket.receive(new Uint8Array(2), { flags });
      assertEquals([cut.length, cut.flags], [2, msg.MSG_TRUNC], String(flags));
      while (!await isPending(socket.readable({ signal: AbortSignal.timeout(1_000) }).catch(() => {}))) {
        await socket.receive(new Uint8Array(8));
      }
    }
  });

  itUnless(linux, "3: accepts a client that has reset without an address: it is passed over", async () => {
    using listener = listen({ hostname: LOOPBACK, port: 0 });
    using earlier = await connect({ port: listener.addr.port });
    using _accepted = await listener.accept();
    const gone = await connect({ port: listener.addr.port });
    gone.setLinger(0);
    gone.close();
    using later = await connect({ port: listener.addr.port });
    using conn = await listener.accept();
    assertEquals(conn.remoteAddr, later.localAddr);
    assert(conn.remoteAddr.port !== earlier.localAddr.port);
  });

  itUnless(linux, "4: reports nothing behind urgent data: a short read is not taken for all", async () => {
    using pair = await connectedPair();
    const { one, two } = pair;
    const reading = two.read(new Uint8Array(64));
    assert(await isPending(reading));
    await one.write(bytes("before"));
    await one.socket.send(bytes("!"), undefined, { flags: msg.MSG_OOB });
    await one.write(bytes("behind"));
    let received = await reading ?? 0;
    while (received < "beforebehind".length) received += await two.read(new Uint8Array(64)) ?? 0;
    assertEquals(received, "beforebehind".length);
  });

  itUnless(linux, "5: opens descriptors that nobody gave room for: reads close them", async () => {
    using pair = streams();
    const [one, two] = pair;
    using udp = openUdp();
    const count = descriptorCount();
    await one.sendMessage({ data: bytes("a"), fds: [udp, udp, udp] });
    assertEquals(await two.read(new Uint8Array(8)), 1);
    await one.sendMessage({ data: bytes("b"), fds: [udp, udp, udp] });
    const message = await two.receiveMessage({ maxFds: 1 });
    assertEquals([message!.fds.length, message!.truncated], [1, true]);
    message!.fds[0]!.close();
    await one.sendMessage({ data: bytes("c"), fds: [udp, udp, udp] });
    assertEquals((await two.socket.receive(new Uint8Array(8))).length, 1);
    assertEquals(descriptorCount(), count);
  });

  itUnless(linux, "6: refuses a dial to a full backlog: the path of a live server is not replaced", async () => {
    using directory = new Directory();
    const path = directory.file();
    using listener = listen({ transport: "unix", path, backlog: 1 });
    using open = new DisposableStack();
    for (let refused = false; !refused;) {
      const conn = await connect({ transport: "unix", path }).catch((error) => error);
      refused = conn instanceof Deno.errors.ConnectionRefused;
      if (!refused) open.use(conn as UnixConn);
    }
    assertThrows(() => listen({ transport: "unix", path, replaceStale: true }), Deno.errors.AddrInUse, "is in use");
    open.use(await listener.accept());
    assertEquals(directory.names, ["socket"]);
  });

  itUnless(
    linux,
    "7: has no filter of a descriptor that somebody else has closed: close() rejects what waits",
    async () => {
      const [one, two] = socketPair("stream");
      const reading = rejection(one.read(new Uint8Array(8)));
      assert(await isPending(reading));
      libc().c.close(one.socket.fd);
      one.close();
      assertInstanceOf(await reading, Deno.errors.Interrupted);
      two.close();
    },
  );

  itUnless(linux, "8: refuses shutdown and options of what has ended on both sides: it has ended", async () => {
    using pair = await connectedPair();
    const { one, two } = pair;
    await one.closeWrite();
    await two.closeWrite();
    assertEquals([await one.read(new Uint8Array(8)), await two.read(new Uint8Array(8))], [null, null]);
    await one.closeWrite();
    await one.closeRead();
    one.setNoDelay(false);
    one.setKeepAlive({ idle: 10 });
    one.setLinger(1);
    assertThrows(() => one.setLinger(-1), RangeError);
  });

  itUnless(linux, "9: refuses an address on a connected socket: that of the peer is left out", async () => {
    using peer = openUdp();
    using socket = openUdp();
    socket.connect(peer.addr);
    await socket.send(bytes("one"), peer.addr);
    await socket.sendMany([{ data: bytes("two"), addr: peer.addr }]);
    for (const word of ["one", "two"]) assertEquals(text((await peer.receive())[0]), word);
    await assertRejects(() => socket.send(bytes("x"), socket.addr), Error, "EISCONN");
    using directory = new Directory();
    using sink = listenDatagram({ transport: "unixgram", path: directory.file() });
    using source = listenDatagram({ transport: "unixgram" });
    source.connect(sink.addr as { path: string });
    await source.send(bytes("three"), sink.addr);
    assertEquals(text((await sink.receive())[0]), "three");
  });

  itUnless(linux, "10: has small send buffers of datagrams: they grow with what is sent", async () => {
    using receiver = openUdp({ receiveBufferSize: 1 << 20 });
    using sender = openUdp();
    for (const length of [9_216, 9_217, 40_000, 65_507]) {
      await sender.send(pattern(length), receiver.addr);
      assertEquals((await receiver.receiveMessage()).data.length, length);
    }
    await assertRejects(() => sender.send(pattern(65_508), receiver.addr), RangeError);
    using other = openUdp();
    await other.sendMany([{ data: pattern(1), addr: receiver.addr }, { data: pattern(20_000), addr: receiver.addr }]);
    for (const length of [1, 20_000]) assertEquals((await receiver.receiveMessage()).data.length, length);
    using directory = new Directory();
    using sink = listenDatagram({ transport: "unixgram", path: directory.file() });
    using source = listenDatagram({ transport: "unixgram" });
    const [one, two] = socketPair("dgram");
    for (const length of [2_048, 2_049, 4_097, 16_385, 100_000]) {
      await source.send(pattern(length), sink.addr);
      assertEquals((await sink.receive())[0].length, length);
      await one.send(pattern(length));
      assertEquals((await two.receive())[0].length, length);
    }
    one.close();
    two.close();
  });

  itUnless(
    linux,
    "10: has small receive buffers of Unix datagrams: one that is longer waits for a larger",
    async () => {
      using directory = new Directory();
      using small = Socket.open("unix", "dgram");
      small.bind({ transport: "unixpacket", path: directory.file() });
      using source = listenDatagram({ transport: "unixgram" });
      const sending = source.send(pattern(20_000), { transport: "unixpacket", path: directory.file() });
      assert(await isPending(sending));
      small.setOption(sockopt.SO_RCVBUF, 20_000);
      assertEquals(await sending, 20_000);
      assertEquals((await small.receive(new Uint8Array(30_000))).length, 20_000);
    },
  );

  itUnless(linux, "10: makes a socket's file with the umask alone: mode holds from birth", () => {
    using directory = new Directory();
    const umask = Deno.umask(0o022);
    try {
      using listener = listen({ transport: "unix", path: directory.file(), mode: 0o600 });
      assertEquals(Deno.statSync(listener.addr.path).mode! & 0o777, 0o600);
      assertEquals(Deno.umask(), 0o022);
      assertThrows(() => listen({ transport: "unix", path: directory.file("no/socket"), mode: 0o600 }));
      assertEquals(Deno.umask(), 0o022);
    } finally {
      Deno.umask(umask);
    }
  });

  itUnless(linux, "10: has no abstract names, and macOS no seqpacket sockets: NotSupported by name", async () => {
    const abstract = { path: "\0name" };
    const named = `${system.name} `;
    assertThrows(() => listen({ transport: "unix", ...abstract }), Deno.errors.NotSupported, named);
    await assertRejects(() => connect({ transport: "unix", ...abstract }), Deno.errors.NotSupported, named);
    assertThrows(() => listenDatagram({ transport: "unixgram", path: "" }), Deno.errors.NotSupported, named);
    if (noSeqpacket === null) return;
    const path = "/nowhere/socket";
    assertThrows(() => listen({ transport: "seqpacket", path }), Deno.errors.NotSupported, "SOCK_SEQPACKET");
    await assertRejects(() => connect({ transport: "seqpacket", path }), Deno.errors.NotSupported, "SOCK_SEQPACKET");
    assertThrows(() => socketPair("seqpacket"), Deno.errors.NotSupported, "SOCK_SEQPACKET");
  });

  itUnless(notMac, "11: reports no process once the peer has gone: pid is null", () => {
    using pair = streams();
    const [one, two] = pair;
    assertEquals(one.peerCredentials().pid, Deno.pid);
    two.close();
    assertEquals(one.peerCredentials(), { pid: null, uid: Deno.uid()!, gid: Deno.gid()! });
  });
});
