import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { POLLFD_SIZE, pollfdRevents, writePollfd } from "../../ffi/struct/pollfd.ts";
import { dirty, hex, viewOf } from "./support.ts";

describe("writePollfd()", () => {
  it("writes a descriptor and its events, and clears what came of the last call", () => {
    const bytes = dirty(POLLFD_SIZE * 3);
    writePollfd(viewOf(bytes), 1, 0x0102, 5);
    assertEquals(bytes, hex("ee*8 02010000 0500 0000 ee*8"));
  });

  it("writes a negative descriptor, which poll(2) passes over", () => {
    const bytes = dirty(POLLFD_SIZE);
    writePollfd(viewOf(bytes), 0, -1, 1);
    assertEquals(bytes, hex("ffffffff 0100 0000"));
  });
});

describe("pollfdRevents()", () => {
  it("reads the structure at an index", () => {
    const view = viewOf(hex("00*8 07000000 0100 1900"));
    assertEquals(pollfdRevents(view, 1), 0x19);
    assertEquals(pollfdRevents(view, 0), 0);
  });
});
