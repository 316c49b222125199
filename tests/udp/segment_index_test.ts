import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { SegmentIndex } from "../../ffi/udp/segment_index.ts";

/** Messages of a batch: their lengths, and the sizes that the kernel says their datagrams have. */
const MESSAGES = [[250, 100], [7, 0], [0, 0], [0, 100], [1, 100], [200, 100]] as const;

/** What is in them: message, offset and length of each datagram, and whether it is the last of its message. */
const DATAGRAMS = [
  [0, 0, 100, false],
  [0, 100, 100, false],
  [0, 200, 50, true],
  [1, 0, 7, true],
  [2, 0, 0, true],
  [3, 0, 0, true],
  [4, 0, 1, true],
  [5, 0, 100, false],
  [5, 100, 100, true],
] as const;

function lookUp(index: SegmentIndex, datagram: number): [number, number, number, boolean] {
  const message = index.messageOf(datagram);
  const start = index.start(message, datagram);
  return [message, start, index.extent(message, MESSAGES[message]![0], start), index.isLast(message, datagram)];
}

describe("SegmentIndex", () => {
  it("finds each datagram of coalesced messages, empty ones too, in any order", () => {
    const index = new SegmentIndex(MESSAGES.length);
    // What was there before is gone.
    index.setWhole(MESSAGES.length);
    index.begin();
    for (const [message, [length, size]] of MESSAGES.entries()) index.add(message, length, size);
    assertEquals(index.length, DATAGRAMS.length);
    const forwards = Array.from(DATAGRAMS.keys());
    for (const order of [forwards, forwards.toReversed(), [4, 0, 8, 3, 5, 1, 7, 2, 6]]) {
      for (const datagram of order) assertEquals(lookUp(index, datagram), [...DATAGRAMS[datagram]!]);
    }
  });

  it("has one datagram a message where nothing was coalesced", () => {
    const index = new SegmentIndex(MESSAGES.length);
    index.setWhole(2);
    assertEquals([0, 1].map((datagram) => lookUp(index, datagram)), [[0, 0, 250, true], [1, 0, 7, true]]);
    for (const wrong of [-1, 2, 0.5, NaN]) assertThrows(() => index.messageOf(wrong), RangeError, "the batch holds 2");
  });
});
