import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { pattern } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { isPending, rejection } from "../support/promises.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { LENGTH, ODD_ARRAYS, REFUSED_ARRAYS, START, wholeBuffer } from "./odd_arrays.ts";
import { RECEIVERS, SENDERS } from "./operations.ts";

noDescriptorLeaks();

describe("Bytes to send, whatever their array says of itself", TIMEOUT, () => {
  for (const [operation, open] of Object.entries(SENDERS)) {
    it(`are its real bytes: ${operation}`, async () => {
      for (const [odd, make] of Object.entries(ODD_ARRAYS)) {
        using sender = await open();
        const p = make();
        wholeBuffer(p).set(pattern(START + LENGTH, 7));
        await sender.give(p);
        assertEquals(await sender.arrived(), pattern(START + LENGTH, 7).slice(START), odd);
      }
    });

    it(`are refused without memory of their own: ${operation}`, async () => {
      for (const [word, make] of Object.entries(REFUSED_ARRAYS)) {
        using sender = await open();
        const error = await rejection(Promise.try(() => sender.give(make())));
        assertInstanceOf(error, TypeError);
        assertStringIncludes(error.message, word);
      }
    });
  }
});

describe("Memory to receive into, whatever its array says of itself", TIMEOUT, () => {
  for (const [operation, open] of Object.entries(RECEIVERS)) {
    it(`is written within its bounds: ${operation}`, async () => {
      for (const [odd, make] of Object.entries(ODD_ARRAYS)) {
        using receiver = await open();
        const p = make();
        const memory = wholeBuffer(p).fill(0xee);
        await receiver.put(pattern(300, 9));
        assertEquals(await receiver.take(p), LENGTH, odd);
        assertEquals(memory.slice(START, START + LENGTH), pattern(LENGTH, 9), odd);
        memory.fill(0xee, START, START + LENGTH);
        assert(memory.every((byte) => byte === 0xee), `${odd}: bytes around the array were written`);
      }
    });

    it(`is refused when it is not the array's own: ${operation}`, async () => {
      for (const [word, make] of Object.entries(REFUSED_ARRAYS)) {
        using receiver = await open();
        await receiver.put(pattern(3));
        const error = await rejection(Promise.try(() => receiver.take(make())));
        assertInstanceOf(error, TypeError);
        assertStringIncludes(error.message, word);
        assertEquals(await receiver.take(new Uint8Array(LENGTH)), 3, "nothing was taken");
      }
    });
  }

  for (const [operation, open] of Object.entries(RECEIVERS)) {
    if (operation.includes("coalesced")) continue;
    it(`can be transferred, moved and shrunk while a receive waits: ${operation}`, async () => {
      const ways: [string, (buffer: ArrayBuffer) => unknown][] = [
        ["detached", (buffer) => buffer.transfer()],
        ["detached", (buffer) => structuredClone(buffer, { transfer: [buffer] })],
        ["shrank", (buffer) => buffer.resize(1)],
      ];
      for (const [word, change] of ways) {
        using receiver = await open();
        const buffer = new ArrayBuffer(64, { maxByteLength: 65_536 });
        const taking = rejection(receiver.take(new Uint8Array(buffer, 8, 56)));
        assert(await isPending(taking));
        change(buffer);
        const next = receiver.take(new Uint8Array(LENGTH));
        await receiver.put(pattern(LENGTH));
        const error = await taking;
        assertInstanceOf(error, TypeError);
        assertStringIncludes(error.message, word);
        assertEquals(await next, LENGTH);
      }
    });

    it(`can grow while a receive waits: ${operation}`, async () => {
      using receiver = await open();
      const buffer = new ArrayBuffer(64, { maxByteLength: 1 << 20 });
      const taking = receiver.take(new Uint8Array(buffer, 0, 64));
      assert(await isPending(taking));
      buffer.resize(1 << 20);
      await receiver.put(pattern(300));
      assertEquals(await taking, 64);
      assertEquals(new Uint8Array(buffer, 0, 64), pattern(64));
      assert(new Uint8Array(buffer, 64).every((byte) => byte === 0));
    });
  }
});
