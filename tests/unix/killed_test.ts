import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { isSocketError, listenDatagram, type SeqpacketConn, sockopt, type UnixConn } from "../../mod.ts";
import { bytes, pattern } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { isPending, rejection } from "../support/promises.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { Remote } from "./remote.ts";
import { connectAs, descriptorsOf, Directory, leadsTo, listenAs, type Transport, TRANSPORTS } from "./support.ts";
import { itUnless } from "../support/skipping.ts";
import { noFullBacklog } from "../support/systems.ts";

noDescriptorLeaks();

/** A connection to a process that is to be killed. */
interface Doomed extends AsyncDisposable {
  readonly conn: UnixConn | SeqpacketConn;
  readonly peer: Remote;
}

/** Connects to a process that accepts. */
async function doomed(transport: Transport): Promise<Doomed> {
  using directory = new Directory();
  const path = directory.file();
  using listener = listenAs(transport, path);
  const peer = await Remote.start();
  const [conn] = await Promise.all([listener.accept(), peer.call("connect", transport, path)]);
  return {
    conn,
    peer,
    [Symbol.asyncDispose]: async () => {
      conn[Symbol.dispose]();
      await peer[Symbol.asyncDispose]();
    },
  };
}

/** Fails unless an error is one of a connection whose other end has gone. */
function assertGone(error: unknown): void {
  assert(isSocketError(error), String(error));
  assert(error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset, error.message);
  assert(["EPIPE", "ECONNRESET"].includes(error.code), error.code);
}

for (const transport of TRANSPORTS) {
  describe(`A ${transport} peer that is killed`, TIMEOUT, () => {
    it("while a receive waits, ends it", async () => {
      await using pair = await doomed(transport);
      const waiting = [pair.conn.receiveMessage(), pair.conn.receiveMessage()];
      assert(await isPending(Promise.race(waiting)));
      await pair.peer.kill();
      assertEquals(await Promise.all(waiting), [null, null]);
      assertGone(await rejection(pair.conn.sendMessage({ data: bytes("x") })));
    });

    it("while a send waits, fails it", async () => {
      await using pair = await doomed(transport);
      const { conn, peer } = pair;
      conn.socket.setOption(sockopt.SO_SNDBUF, 8192);
      const sends = Promise.allSettled(Array.from({ length: 50 }, () => conn.sendMessage({ data: pattern(4096) })));
      assert(await isPending(sends));
      await peer.kill();
      const reasons = (await sends).filter((outcome) => outcome.status === "rejected").map(({ reason }) => reason);
      assert(reasons.length > 0);
      reasons.forEach(assertGone);
      for (let round = 0; round < 2; round++) assertGone(await rejection(conn.receiveMessage()));
    });

    it("with descriptors in flight to it, keeps none of them open", async () => {
      await using pair = await doomed(transport);
      const udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
      const { port } = udp.addr;
      const target = leadsTo(udp.socket.fd)!;
      for (let count = 0; count < 10; count++) await pair.conn.sendMessage({ data: bytes("x"), fds: [udp, udp] });
      await pair.peer.call("receive");
      await pair.peer.kill();
      assertGone(await rejection(pair.conn.sendMessage({ data: bytes("x"), fds: [udp] })));
      assertEquals(descriptorsOf(target), [udp.socket.fd]);
      udp.close();
      // Nor does the kernel keep any: the port is free.
      listenDatagram({ transport: "udp", hostname: "127.0.0.1", port }).close();
    });

    it("after it has sent, is received to the end", async () => {
      await using pair = await doomed(transport);
      await pair.peer.call("flood");
      const first = await pair.conn.receiveMessage();
      assert(first !== null && first.data.length > 0);
      await pair.peer.kill();
      let arrived = first.data.length;
      for (;;) {
        const message = await pair.conn.receiveMessage();
        if (message === null) break;
        arrived += message.data.length;
      }
      assertEquals(arrived % (transport === "seqpacket" ? 65_536 : 1), 0);
      assert(arrived >= 65_536, `${arrived}`);
    });

    it("before it accepted the connection, ends it", async () => {
      using directory = new Directory();
      const path = directory.file();
      await using peer = await Remote.start();
      await peer.call("listen", { transport, path, unlinkOnClose: false });
      using conn = await connectAs(transport, path);
      const waiting = conn.receiveMessage();
      assert(await isPending(waiting));
      await peer.kill();
      const outcome = await waiting.catch((error) => error);
      if (outcome !== null) assertGone(outcome);
      assertGone(await rejection(conn.sendMessage({ data: bytes("x") })));
      assertInstanceOf(await rejection(connectAs(transport, path)), Deno.errors.ConnectionRefused);
    });

    itUnless(noFullBacklog, "while a connect waits for its backlog, refuses it", async () => {
      using directory = new Directory();
      using open = new DisposableStack();
      const path = directory.file();
      await using peer = await Remote.start();
      await peer.call("listen", { transport, path, backlog: 1 });
      let connecting = connectAs(transport, path);
      while (!await isPending(connecting)) {
        open.use(await connecting);
        connecting = connectAs(transport, path);
      }
      const refused = rejection(connecting);
      await peer.kill();
      assertInstanceOf(await refused, Deno.errors.ConnectionRefused);
    });
  });
}

describe("A Unix datagram socket whose process is killed", TIMEOUT, () => {
  it("refuses datagrams, also waiting ones", async () => {
    using directory = new Directory();
    const path = directory.file();
    await using peer = await Remote.start();
    await peer.call("listenDatagram", { transport: "unixgram", path });
    using source = listenDatagram({ transport: "unixgram" });
    const to = { transport: "unixpacket", path } as const;
    let sending = source.send(bytes("x"), to);
    while (!await isPending(sending)) sending = source.send(bytes("x"), to);
    const refused = rejection(sending);
    await peer.kill();
    for (const error of [await refused, await rejection(source.send(bytes("x"), to))]) {
      assertInstanceOf(error, Deno.errors.ConnectionRefused);
      assertStringIncludes(error.message, `sendmsg ${path}: connection refused (ECONNREFUSED)`);
    }
  });
});
