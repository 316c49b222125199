import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { connect, type TcpConn } from "../../mod.ts";
import { readExactly } from "../conformance/stream/pair.ts";
import { CountedSignal } from "../conformance/stream/signals.ts";
import { assertTimedOut } from "../support/assertions.ts";
import { descriptorCount, noDescriptorLeaks } from "../support/descriptors.ts";
import { start } from "../support/process.ts";
import { after, isPending, PAST, rejection } from "../support/promises.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { FakeAccept } from "./fake_accept.ts";
import { listenTcp } from "./support.ts";
import { linuxTable } from "../support/systems.ts";

noDescriptorLeaks();

const PROGRAM = new URL("./programs/few_descriptors.ts", import.meta.url).href;

/** Why no descriptor can be looked at, or null. */
const NO_PROC = Deno.build.os === "linux" ? null : "reads /proc/self/fdinfo of Linux";

/** So few that they are soon gone, and more than Deno needs for itself. */
const FEW = 256;

describe("accept()", TIMEOUT, () => {
  it("serves waiting accepts in call order, with both addresses", async () => {
    using listener = listenTcp();
    const accepts = Array.from({ length: 5 }, () => listener.accept());
    using stack = new DisposableStack();
    for (const accepting of accepts) {
      const dialled = stack.use(await connect({ port: listener.addr.port }));
      const accepted = stack.use(await accepting);
      assertEquals(accepted.remoteAddr, dialled.localAddr);
      assertEquals(accepted.localAddr, listener.addr);
    }
  });

  it("accepts queued connections in the order of dialling", async () => {
    using listener = listenTcp();
    using stack = new DisposableStack();
    const ports: number[] = [];
    for (let index = 0; index < 200; index++) {
      ports.push(stack.use(await connect({ port: listener.addr.port })).localAddr.port);
    }
    const accepted: number[] = [];
    while (accepted.length < ports.length) accepted.push(stack.use(await listener.accept()).remoteAddr.port);
    assertEquals(accepted, ports);
  });

  itUnless(NO_PROC, "makes descriptors that are non-blocking and not passed to children", async () => {
    using listener = listenTcp();
    using one = await connect({ port: listener.addr.port });
    using two = await listener.accept();
    for (const { socket } of [listener, one, two]) {
      const info = await Deno.readTextFile(`/proc/self/fdinfo/${socket.fd}`);
      const flags = parseInt(info.match(/^flags:\s*(\d+)/m)![1]!, 8);
      assertEquals(flags & 0o2004000, 0o2004000);
    }
  });

  it("accepts a connection that was already reset, whose read is ConnectionReset", async () => {
    using listener = listenTcp();
    const { port } = listener.addr;
    const gone = await connect({ port });
    gone.setLinger(0);
    gone.close();
    using stays = await connect({ port });
    // Linux gives it out, BSD passes it over: either way the next in the queue follows.
    const first = await listener.accept();
    let served: TcpConn = first;
    if (first.remoteAddr.port === gone.localAddr.port) {
      assertInstanceOf(await rejection(first.read(new Uint8Array(8))), Deno.errors.ConnectionReset);
      first.close();
      served = await listener.accept();
    }
    using _closing = served;
    assertEquals(served.remoteAddr, stays.localAddr);
  });

  itUnless(
    linuxTable ? null : "stands in for accept4(2) of Linux",
    "passes over connections that were given up meanwhile, and accepts the next",
    async () => {
      using listener = listenTcp();
      using dialled = await connect({ port: listener.addr.port });
      using watched = new FakeAccept("ECONNABORTED", "EINTR", "EPROTO", "ECONNABORTED");
      using accepted = await listener.accept();
      assertEquals(accepted.remoteAddr, dialled.localAddr);
      assertEquals(watched.attempts, 5);
    },
  );

  it("takes nothing from the queue past the deadline, and accepts again when it is cleared", async () => {
    using listener = listenTcp();
    using dialled = await connect({ port: listener.addr.port });
    listener.setReadDeadline(PAST);
    const error = await rejection(listener.accept());
    assertTimedOut(error);
    assertEquals(error.syscall, "accept");
    listener.setDeadline(null);
    using accepted = await listener.accept();
    assertEquals(accepted.remoteAddr, dialled.localAddr);
  });

  it("rejects at the deadline, and not before", async () => {
    using listener = listenTcp();
    const deadline = after(30);
    listener.setDeadline(deadline);
    for (const error of await Promise.all([rejection(listener.accept()), rejection(listener.accept())])) {
      assertTimedOut(error);
    }
    assert(Date.now() >= deadline.getTime());
  });

  it("rejects when its signal is aborted; other accepts are served", async () => {
    using listener = listenTcp();
    const counted = new CountedSignal();
    const first = rejection(listener.accept({ signal: counted.signal }));
    const second = listener.accept();
    assert(await isPending(Promise.race([first, second])));
    assertEquals(counted.count, 1);
    const reason = new Error("enough");
    counted.abort(reason);
    assertStrictEquals(await first, reason);
    assertEquals(counted.count, 0);
    using dialled = await connect({ port: listener.addr.port });
    using accepted = await second;
    assertEquals(accepted.remoteAddr, dialled.localAddr);
    assertStrictEquals(await rejection(listener.accept({ signal: counted.signal })), reason);
  });

  it("loses no connection to a simultaneous abort", async () => {
    using listener = listenTcp();
    const before = descriptorCount();
    for (let round = 0; round < 50; round++) {
      const abort = new AbortController();
      const accepting = listener.accept({ signal: abort.signal });
      using dialled = await connect({ port: listener.addr.port });
      abort.abort();
      // Accepted in time or still in the queue, but not lost between.
      using accepted = await accepting.catch(() => listener.accept());
      assertEquals(accepted.remoteAddr, dialled.localAddr);
    }
    assertEquals(descriptorCount(), before);
  });

  it("passes a connection to another process while data is in flight", async () => {
    using listener = listenTcp();
    const accepting = listener.accept();
    using dialled = await connect({ port: listener.addr.port });
    await dialled.write(Uint8Array.of(1, 2, 3));
    using accepted = await accepting;
    assertEquals(await readExactly(accepted, 3), Uint8Array.of(1, 2, 3));
  });
});

describe("Without a free descriptor", TIMEOUT, () => {
  it("an accept rejects with EMFILE, and the listener stays usable and idle", async () => {
    // `exec`, so that the child is Deno itself and no shell stays around it.
    const script = `ulimit -n ${FEW} && exec "$0" run --no-prompt -A "$1"`;
    await using child = start("sh", ["-c", script, Deno.execPath(), PROGRAM]);
    const { success, stdout, report } = await child.finished();
    assert(success, report);
    assertEquals(JSON.parse(stdout), {
      // Of the accept that waited and of one that came later.
      codes: ["EMFILE", "EMFILE"],
      message: "accept: too many open files (EMFILE); the limit is RLIMIT_NOFILE (ulimit -n)",
      // One when a connection had arrived, and none without a waiting accept.
      attempts: 1,
      attemptsWhileIdle: 0,
      // The very connection that could not be accepted before.
      echoed: [1, 2, 3],
      // A loop that tries again at once leaves timers, which free descriptors, their turn.
      loopEnded: true,
    });
  });
});
