import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { SeqpacketConn, SeqpacketListener } from "../../ffi/unix/seqpacket.ts";
import { TcpConn, TcpListener } from "../../ffi/tcp/tcp.ts";
import { UdpSocket } from "../../ffi/udp/udp.ts";
import { UnixConn, UnixListener } from "../../ffi/unix/unix.ts";
import { UnixDatagram } from "../../ffi/unix/datagram.ts";
import { connect, listen, listenDatagram, type OwnedFd, type Passable, Socket, socketPair } from "../../mod.ts";
import { bytes, text } from "../support/bytes.ts";
import { descriptorCount, noDescriptorLeaks } from "../support/descriptors.ts";
import { run } from "../support/process.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { connectedPair, descriptorsOf, Directory, leadsTo, notLinux, readText } from "./support.ts";
import { noSeqpacket } from "../support/systems.ts";

noDescriptorLeaks();

/** Passes one descriptor from one end to the other. */
async function pass(item: Passable): Promise<OwnedFd> {
  const [one, two] = socketPair("stream");
  using _one = one;
  using _two = two;
  await one.sendMessage({ data: new Uint8Array(1), fds: [item] });
  const message = await two.receiveMessage();
  return message!.fds[0]!;
}

/** Passes a socket, closes it here, and opens what arrived. */
async function handOver<T>(
  socket: Disposable & { readonly socket: Socket },
  kind: { readonly prototype: T },
): Promise<T> {
  const fd = await pass(socket);
  socket[Symbol.dispose]();
  const opened: unknown = fd.open();
  // A private constructor has no type that assertInstanceOf takes.
  assertInstanceOf(opened, kind as unknown as new () => T);
  assertThrows(() => fd.fd, Deno.errors.BadResource);
  return opened;
}

describe("OwnedFd.open()", TIMEOUT, () => {
  it("makes a TcpListener of one, which accepts the connections of the original", async () => {
    const listener = listen({ hostname: "127.0.0.1", port: 0 });
    const { addr } = listener;
    using early = await connect({ port: addr.port });
    using taken = await handOver(listener, TcpListener);
    assertEquals(taken.addr, addr);
    using late = await connect({ port: addr.port });
    for (const conn of [early, late]) {
      using accepted = await taken.accept();
      await accepted.write(bytes("welcome"));
      assertEquals(await readText(conn), "welcome");
    }
  });

  it("makes a TcpConn of one, with its addresses and what was sent before", async () => {
    using listener = listen({ hostname: "127.0.0.1", port: 0 });
    using conn = await connect({ port: listener.addr.port });
    const accepted = await listener.accept();
    await conn.write(bytes("under way"));
    using taken = await handOver(accepted, TcpConn);
    assertEquals([taken.localAddr, taken.remoteAddr], [listener.addr, conn.localAddr]);
    assertEquals(await readText(taken), "under way");
    await taken.write(bytes("answer"));
    assertEquals(await readText(conn), "answer");
  });

  it("makes a UdpSocket of one, which receives earlier datagrams", async () => {
    const udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
    const { addr } = udp;
    using sender = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
    await sender.send(bytes("early"), addr);
    using taken = await handOver(udp, UdpSocket);
    await sender.send(bytes("late"), addr);
    for (const word of ["early", "late"]) {
      const [data, from] = await taken.receive();
      assertEquals([text(data), from], [word, sender.addr]);
    }
  });

  it("makes a UnixListener of one, and keeps its path", async () => {
    using directory = new Directory();
    const path = directory.file();
    const listener = listen({ transport: "unix", path, unlinkOnClose: false });
    const taken = await handOver(listener, UnixListener);
    using conn = await connect({ transport: "unix", path });
    using accepted = await taken.accept();
    await accepted.write(bytes("welcome"));
    assertEquals([taken.addr.path, await readText(conn)], [path, "welcome"]);
    taken.close();
    assertEquals(directory.names, ["socket"]);
  });

  it("makes a UnixConn of one", async () => {
    using directory = new Directory();
    using pair = await connectedPair("unix", directory.file());
    const addresses = [pair.two.localAddr, pair.two.remoteAddr];
    using taken = await handOver(pair.two, UnixConn);
    assertEquals([taken.localAddr, taken.remoteAddr], addresses);
    await taken.write(bytes("hello"));
    assertEquals(await readText(pair.one), "hello");
  });

  it("makes a UnixDatagram of one", async () => {
    using directory = new Directory();
    using socket = listenDatagram({ transport: "unixgram", path: directory.file(), unlinkOnClose: false });
    using sender = listenDatagram({ transport: "unixgram" });
    using taken = await handOver(socket, UnixDatagram);
    await sender.send(bytes("hello"), taken.addr);
    assertEquals(text((await taken.receive())[0]), "hello");
  });

  itUnless(noSeqpacket, "makes a SeqpacketListener and a SeqpacketConn", async () => {
    using directory = new Directory();
    const path = directory.file();
    const listener = listen({ transport: "seqpacket", path, unlinkOnClose: false });
    using taken = await handOver(listener, SeqpacketListener);
    assertEquals(taken.addr, { transport: "seqpacket", path });
    const client = await connect({ transport: "seqpacket", path });
    using accepted = await taken.accept();
    await accepted.send(new Uint8Array(1));
    using conn = await handOver(client, SeqpacketConn);
    assertEquals(conn.remoteAddr, taken.addr);
    assertEquals(await conn.receive(), new Uint8Array(1));
    await conn.send(bytes("hello"));
    assertEquals(await accepted.receive(), bytes("hello"));
  });

  it("refuses a pipe and a file, which stay open and owned", async () => {
    using directory = new Directory();
    const [pipe, file] = [directory.file("pipe"), directory.file("file")];
    await run("mkfifo", [pipe]);
    Deno.writeTextFileSync(file, "");
    for (const path of [pipe, file]) {
      using opened = Deno.openSync(path, { read: true, write: true });
      using owned = await pass(descriptorsOf(path)[0]!);
      const { fd } = owned;
      const error = assertThrows(() => owned.open(), TypeError);
      assertEquals(error.message, `Descriptor ${fd} is not a socket`);
      assertEquals([owned.fd, leadsTo(fd)], [fd, path]);
      assert(opened.writeSync(new Uint8Array(1)) === 1);
    }
  });

  itUnless(
    notLinux,
    "refuses a socket of a kind without a class, with a hint, and leaves it owned",
    async () => {
      // AF_NETLINK, <bits/socket.h>.
      using netlink = Socket.open(16, "raw");
      using owned = await pass(netlink);
      const { fd } = owned;
      const error = assertThrows(() => owned.open(), TypeError);
      assertEquals(
        error.message,
        `Descriptor ${fd} is a socket of family 16 and type 3, which has no class here: Socket.fromFd takes it`,
      );
      assertEquals(owned.fd, fd);
      using _socket = Socket.fromFd(owned.detach());
    },
  );
});

describe("An OwnedFd", TIMEOUT, () => {
  it("is closed once, by close or at the end of a block", async () => {
    using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
    const before = descriptorCount();
    const owned = await pass(udp);
    assertEquals(descriptorCount(), before + 1);
    owned.close();
    assertEquals(descriptorCount(), before);
    for (const use of [() => owned.close(), () => owned.fd, () => owned.detach(), () => owned.open()]) {
      assertThrows(use, Deno.errors.BadResource, "closed or given away");
    }
    owned[Symbol.dispose]();
    {
      using _inner = await pass(udp);
      assertEquals(descriptorCount(), before + 1);
    }
    assertEquals(descriptorCount(), before);
  });

  it("detaches its number, which stays open", async () => {
    using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
    const owned = await pass(udp);
    const fd = owned.detach();
    owned[Symbol.dispose]();
    using taken = Socket.fromFd(fd);
    assertEquals(leadsTo(taken.fd), leadsTo(udp.socket.fd));
    assertThrows(() => owned.fd, Deno.errors.BadResource);
  });
});
