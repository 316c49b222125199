import { assert, assertEquals, assertInstanceOf, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { connect, type TcpListener } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { isPending, PAST, pause, rejection } from "../support/promises.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { listenTcp } from "./support.ts";

noDescriptorLeaks();

/** Long enough for the wait to have been left to a thread: what is closed must go while the thread still waits. */
const UNTIL_A_THREAD_WAITS = 30;

/** Why a port is not free as soon as its listener is closed, or null. */
const KEPT_OPEN = Deno.env.get("BERKELEY_POLLER") === "poll"
  ? "the kernel keeps a socket open while a thread is in poll(2) for it"
  : null;

function assertListenerClosed(error: unknown): void {
  assertInstanceOf(error, Deno.errors.BadResource);
  assertStringIncludes(error.message, "Listener has been closed");
}

describe("Closing a listener", TIMEOUT, () => {
  itUnless(KEPT_OPEN, "frees the port at once, with accepts pending", async () => {
    const listener = listenTcp({ reuseAddress: false });
    const { port } = listener.addr;
    const accepts = Promise.all([rejection(listener.accept()), rejection(listener.accept())]);
    await pause(UNTIL_A_THREAD_WAITS);
    listener.close();
    using next = listenTcp({ port, reuseAddress: false });
    assertEquals(next.addr.port, port);
    for (const error of await accepts) assertListenerClosed(error);
  });

  it("frees the port at once, with queued and with open connections", async () => {
    const listener = listenTcp();
    const { port } = listener.addr;
    using one = await connect({ port });
    using two = await listener.accept();
    using waiting = await connect({ port });
    listener.close();
    using next = listenTcp({ port });
    assertInstanceOf(await rejection(waiting.read(new Uint8Array(1))), Deno.errors.ConnectionReset);
    await two.write(Uint8Array.of(1));
    assertEquals(await one.read(new Uint8Array(8)), 1);
    using newer = await connect({ port });
    using accepted = await next.accept();
    assertEquals(accepted.remoteAddr, newer.localAddr);
  });

  it("rejects later accepts", async () => {
    const listener = listenTcp();
    listener.close();
    assertListenerClosed(await rejection(listener.accept()));
    assertThrows(() => listener.close(), Deno.errors.BadResource);
    assertThrows(() => listener.detach(), Deno.errors.BadResource);
    assertThrows(() => listener.socket.fd, Deno.errors.BadResource);
    listener[Symbol.dispose]();
    assert(listener.addr.port > 0);
  });

  it("ends waiting and new iterations", async () => {
    const listener = listenTcp();
    const { port } = listener.addr;
    let accepted = 0;
    const iteration = async () => {
      for await (const conn of listener) {
        conn.close();
        accepted++;
      }
    };
    const iterations = [iteration(), iteration()];
    for (let index = 0; index < 4; index++) (await connect({ port })).close();
    assert(await isPending(Promise.all(iterations)));
    listener.close();
    await Promise.all(iterations);
    await iteration();
    assertEquals(accepted, 4);
  });

  it("happens at the end of a block with `using`", async () => {
    let accepting: Promise<unknown>;
    {
      using listener: TcpListener = listenTcp();
      accepting = rejection(listener.accept());
    }
    assertListenerClosed(await accepting);
  });

  it("does not apply to a deadline, which fails an iteration", async () => {
    using listener = listenTcp();
    listener.setDeadline(PAST);
    const iterating = (async () => {
      for await (const conn of listener) conn.close();
    })();
    assertInstanceOf(await rejection(iterating), Deno.errors.TimedOut);
  });

  it("can be left to the new owner after detach()", async () => {
    const listener = listenTcp();
    const accepting = rejection(listener.accept());
    const again = listener.socket.duplicate();
    listener.close();
    assertListenerClosed(await accepting);
    using conn = await connect({ port: listener.addr.port });
    using accepted = await again.accept();
    assert(accepted.fd >= 0);
    again.close();
    conn.close();
  });
});
