import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { bytes, text } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { openUdp, receiveText } from "../udp/support.ts";
import { openListener } from "../socket/support.ts";

noDescriptorLeaks();

/** A signal that counts the listeners on it. */
function countedSignal(): {
  controller: AbortController;
  signal: AbortSignal;
  count: () => number;
  most: () => number;
} {
  const controller = new AbortController();
  const { signal } = controller;
  const listeners = new Set<unknown>();
  let most = 0;
  const add = signal.addEventListener;
  const remove = signal.removeEventListener;
  Object.assign(signal, {
    addEventListener(...args: Parameters<typeof add>) {
      listeners.add(args[1]);
      most = Math.max(most, listeners.size);
      add.apply(signal, args);
    },
    removeEventListener(...args: Parameters<typeof remove>) {
      listeners.delete(args[1]);
      remove.apply(signal, args);
    },
  });
  return { controller, signal, count: () => listeners.size, most: () => most };
}

/** What a promise rejects with. */
function reasonOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(() => "no rejection", (reason) => reason);
}

describe("An abort", TIMEOUT, () => {
  it("rejects with the signal's reason, whatever its type", async () => {
    using socket = openUdp();
    for (const reason of [new Error("enough"), "enough", 7, null]) {
      const controller = new AbortController();
      const cut = reasonOf(socket.receive(undefined, { signal: controller.signal }));
      controller.abort(reason);
      assertStrictEquals(await cut, reason);
      assertStrictEquals(await reasonOf(socket.receive(undefined, { signal: controller.signal })), reason);
    }
    const plain = new AbortController();
    const cut = assertRejects(() => socket.receive(undefined, { signal: plain.signal }), DOMException);
    plain.abort();
    assertEquals((await cut).name, "AbortError");
  });

  it("loses nothing: the datagram goes to the next receive", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const controller = new AbortController();
    const buffer = new Uint8Array(16);
    const cut = reasonOf(receiver.receive(buffer, { signal: controller.signal }));
    controller.abort("cut");
    await sender.send(bytes("for the next"), receiver.addr);
    assertEquals(await receiveText(receiver), "for the next");
    assertEquals(await cut, "cut");
    assertEquals(buffer, new Uint8Array(16));
  });

  it("loses nothing if the datagram arrived before it", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const controller = new AbortController();
    const first = reasonOf(receiver.receive(new Uint8Array(16), { signal: controller.signal }));
    await sender.send(bytes("once"), receiver.addr);
    // The event loop has not turned since the datagram arrived, so readiness has not been reported.
    controller.abort("cut");
    const [received, told] = await Promise.all([receiveText(receiver), first]);
    assertEquals([received, told], ["once", "cut"]);
  });

  it("removes one operation from the queue, and the others keep their order", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const controllers = Array.from({ length: 5 }, () => new AbortController());
    const all = controllers.map(({ signal }) =>
      receiver.receive(undefined, { signal }).then(([data]) => text(data), (reason) => reason)
    );
    for (const index of [2, 0, 4]) controllers[index]!.abort(`cut ${index}`);
    await sender.send(bytes("a"), receiver.addr);
    await sender.send(bytes("b"), receiver.addr);
    assertEquals(await Promise.all(all), ["cut 0", "a", "cut 2", "b", "cut 4"]);
  });

  it("rejects all operations with the same signal", async () => {
    using receiver = openUdp();
    const { signal, controller, count } = countedSignal();
    const all = Array.from({ length: 10 }, () => reasonOf(receiver.receive(undefined, { signal })));
    assertEquals(count(), 10);
    controller.abort("cut");
    assertEquals(await Promise.all(all), Array(10).fill("cut"));
    assertEquals(count(), 0);
  });

  it("rejects every kind of operation", async () => {
    using udp = openUdp();
    using listener = openListener();
    const controller = new AbortController();
    const { signal } = controller;
    const all = [
      udp.receive(undefined, { signal }),
      udp.receiveMessage({ signal }),
      udp.socket.receive(new Uint8Array(1), { signal }),
      udp.socket.readable({ signal }),
      listener.accept({ signal }),
      listener.readable({ signal }),
    ].map(reasonOf);
    controller.abort("cut");
    assertEquals(await Promise.all(all), all.map(() => "cut"));
  });

  it("that came before loses nothing, even on a closed socket", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    await sender.send(bytes("kept"), receiver.addr);
    const signal = AbortSignal.abort("before");
    assertEquals(await reasonOf(receiver.receive(undefined, { signal })), "before");
    assertEquals(await reasonOf(sender.send(bytes("never sent"), receiver.addr, { signal })), "before");
    await sender.send(bytes("second"), receiver.addr);
    assertEquals([await receiveText(receiver), await receiveText(receiver)], ["kept", "second"]);
    receiver.close();
    assertEquals(await reasonOf(receiver.receive(undefined, { signal })), "before");
  });
});

describe("A signal", TIMEOUT, () => {
  it("has one listener while an operation waits, and none afterwards", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const { signal, count, most } = countedSignal();
    for (let round = 0; round < 3; round++) {
      const waiting = receiver.receive(undefined, { signal });
      assertEquals(count(), 1);
      await sender.send(bytes("hello"), receiver.addr);
      await waiting;
      assertEquals(count(), 0);
    }
    assertEquals(most(), 1);
  });

  it("has none for an operation that does not wait", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const { signal, most } = countedSignal();
    for (let round = 0; round < 10; round++) {
      await sender.send(bytes("hello"), receiver.addr, { signal });
      await receiver.receive(undefined, { signal });
    }
    assertEquals(most(), 0);
  });

  it("has none after a close, a deadline or an abort", async () => {
    const { signal, controller, count } = countedSignal();
    const closed = openUdp();
    using late = openUdp();
    using aborted = openUdp();
    const all = [closed, late, aborted].map((socket) => reasonOf(socket.receive(undefined, { signal })));
    assertEquals(count(), 3);
    closed.close();
    assertEquals(count(), 2);
    late.setReadDeadline(new Date(0));
    assertEquals(count(), 1);
    controller.abort();
    assertEquals(count(), 0);
    await Promise.all(all);
  });

  it("does nothing when it is aborted after the end", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const controller = new AbortController();
    const waiting = receiver.receive(undefined, { signal: controller.signal });
    await sender.send(bytes("in time"), receiver.addr);
    assertEquals(text((await waiting)[0]), "in time");
    controller.abort();
    const next = receiveText(receiver);
    await sender.send(bytes("next"), receiver.addr);
    assertEquals(await next, "next");
  });
});
