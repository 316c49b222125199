import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { runInNewContext } from "node:vm";
import { isSocketError, type UdpSocket } from "../../mod.ts";
import { bytes } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { PAST } from "../support/promises.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { openUdp, receiveText } from "../udp/support.ts";

noDescriptorLeaks();

/** So far ahead that no test lasts as long. */
const FAR = () => new Date(Date.now() + 3_600_000);

/** A short while from now. */
const SOON = () => new Date(Date.now() + 20);

/** That a receive is cut off by the deadline. */
async function assertExpires(waiting: Promise<unknown>): Promise<void> {
  const error = await assertRejects(() => waiting, Deno.errors.TimedOut);
  assert(isSocketError(error));
  assertEquals([error.code, error.errno, error.timeout, error.syscall], ["ETIMEDOUT", 0, true, "recvmsg"]);
}

describe("A deadline", TIMEOUT, () => {
  it("in the past fails new operations, even with data ready, and loses none", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    await sender.send(bytes("kept"), receiver.addr);
    receiver.setReadDeadline(PAST);
    const buffer = new Uint8Array(16);
    await assertExpires(receiver.receive(buffer));
    await assertExpires(receiver.receiveMessage());
    assertEquals(buffer, new Uint8Array(16));
    receiver.setReadDeadline(null);
    assertEquals(await receiveText(receiver), "kept");
  });

  it("in the past rejects all waiting operations", async () => {
    using receiver = openUdp();
    const waiting = [receiver.receive(), receiver.receive(), receiver.receiveMessage()].map(assertExpires);
    receiver.setReadDeadline(PAST);
    await Promise.all(waiting);
  });

  it("in the future rejects waiting operations when it expires", async () => {
    using receiver = openUdp();
    const deadline = SOON();
    receiver.setReadDeadline(deadline);
    await assertExpires(receiver.receive());
    assert(Date.now() >= deadline.getTime());
    // It stays until it is moved.
    await assertExpires(receiver.receive());
  });

  it("is a Date of any realm and subclass, by its own time, and nothing that pretends to be one", async () => {
    class Hidden extends Date {
      override getTime(): number {
        return Infinity;
      }
    }
    using receiver = openUdp();
    for (const past of [runInNewContext("new Date(0)"), new Hidden(0)]) {
      receiver.setReadDeadline(past);
      await assertExpires(receiver.receive());
    }
    for (const pretended of [Object.create(Date.prototype), new Proxy(new Date(), {}), { getTime: () => 0 }]) {
      assertThrows(() => receiver.setReadDeadline(pretended), TypeError, "Invalid deadline: ");
    }
  });

  it("that is set while operations wait applies to them", async () => {
    using receiver = openUdp();
    const waiting = assertExpires(receiver.receive());
    receiver.setReadDeadline(SOON());
    await waiting;
  });

  it("can be moved to an earlier time", async () => {
    using receiver = openUdp();
    receiver.setReadDeadline(FAR());
    const waiting = assertExpires(receiver.receive());
    receiver.setReadDeadline(SOON());
    await waiting;
  });

  it("can be moved to a later time", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const first = SOON();
    receiver.setReadDeadline(first);
    const received = receiveText(receiver);
    receiver.setReadDeadline(FAR());
    while (Date.now() <= first.getTime()) await new Promise((resolve) => setTimeout(resolve, 5));
    await sender.send(bytes("later"), receiver.addr);
    assertEquals(await received, "later");
  });

  it("is cleared by null", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const first = SOON();
    receiver.setReadDeadline(first);
    const received = receiveText(receiver);
    receiver.setReadDeadline(null);
    while (Date.now() <= first.getTime()) await new Promise((resolve) => setTimeout(resolve, 5));
    await sender.send(bytes("any time"), receiver.addr);
    assertEquals(await received, "any time");
  });

  it("beyond the maximum of a timer works too", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    receiver.setDeadline(new Date(8.64e15));
    const received = receiveText(receiver);
    await new Promise((resolve) => setTimeout(resolve, 2));
    await sender.send(bytes("hello"), receiver.addr);
    assertEquals(await received, "hello");
  });

  it("leaves the socket usable, and the datagram to the next receive", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const buffer = new Uint8Array(16);
    receiver.setReadDeadline(SOON());
    await assertExpires(receiver.receive(buffer));
    receiver.setReadDeadline(null);
    await sender.send(bytes("for the next"), receiver.addr);
    assertEquals(await receiveText(receiver), "for the next");
    assertEquals(buffer, new Uint8Array(16));
  });

  it("applies to one direction only", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    sender.setReadDeadline(PAST);
    await sender.send(bytes("sent all the same"), receiver.addr);
    assertEquals(await receiveText(receiver), "sent all the same");
    receiver.setWriteDeadline(PAST);
    const received = receiveText(receiver);
    await sender.send(bytes("received all the same"), receiver.addr);
    assertEquals(await received, "received all the same");
    const error = await assertRejects(() => receiver.send(bytes("x"), sender.addr), Deno.errors.TimedOut);
    assert(isSocketError(error) && error.syscall === "sendmsg" && error.timeout);
  });

  it("for both is set at once", async () => {
    using socket = openUdp();
    socket.setDeadline(PAST);
    await assertExpires(socket.receive());
    await assertRejects(() => socket.send(bytes("x"), socket.addr), Deno.errors.TimedOut);
    socket.setDeadline(null);
    await socket.send(bytes("x"), socket.addr);
    assertEquals(await receiveText(socket), "x");
  });

  it("ends an iteration with its error", async () => {
    using receiver = openUdp();
    receiver.setReadDeadline(SOON());
    await assertExpires(receiver[Symbol.asyncIterator]().next());
  });

  it("that is invalid is a TypeError, and changes nothing", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const setters = ["setDeadline", "setReadDeadline", "setWriteDeadline"] as const satisfies (keyof UdpSocket)[];
    for (const setter of setters) {
      for (const wrong of [new Date(NaN), NaN, "tomorrow", undefined, 5n]) {
        assertThrows(
          () => receiver[setter](wrong as Date),
          TypeError,
          "expected a Date, milliseconds from now or null",
        );
      }
    }
    const received = receiveText(receiver);
    await sender.send(bytes("unchanged"), receiver.addr);
    assertEquals(await received, "unchanged");
  });

  it("on a closed socket has no effect", () => {
    const socket = openUdp();
    socket.close();
    socket.setDeadline(FAR());
    socket.setDeadline(null);
  });
});
