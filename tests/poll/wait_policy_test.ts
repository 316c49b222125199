import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type Step, WaitPolicy } from "../../ffi/poll/wait_policy.ts";

/** Begins every gap of these tests: long before now, so that a gap that ends now is a long one. */
const LONG_AGO = -1_000_000;

/** What follows a poll that found nothing `waited` milliseconds after the gap began, by turns that follow directly. */
function stepAfter(policy: WaitPolicy, waited: number): Step {
  policy.next(LONG_AGO, LONG_AGO);
  policy.next(LONG_AGO + waited, LONG_AGO + waited);
  return policy.next(LONG_AGO + waited, LONG_AGO + waited);
}

/** Ends a gap by a poll that did not wait, or by a thread. */
function end(policy: WaitPolicy, found: "found" | "foundByThread"): void {
  if (found === "found") policy.found(0, policy.endOfGap(0));
  else policy.foundByThread();
}

/** Ends long gaps, so many. */
function longGaps(policy: WaitPolicy, count: number, found: "found" | "foundByThread" = "found"): void {
  for (let gap = 0; gap < count; gap++) {
    policy.next(LONG_AGO, LONG_AGO);
    end(policy, found);
  }
}

describe("The wait policy", () => {
  it("spins for 30 µs, sleeps until 2 ms have passed, then leaves the wait to a thread", () => {
    for (
      const [waited, step] of [
        [0, "spin"],
        [0.029, "spin"],
        [0.031, "sleep"],
        [1.9, "sleep"],
        [2, "block"],
        [2.1, "block"],
        [60_000, "block"],
      ] as const
    ) assertEquals(stepAfter(new WaitPolicy(), waited), step, `after ${waited} ms`);
  });

  it("takes turns in place of sleeping until one had no other work in it, and trusts that for 16 gaps", () => {
    const policy = new WaitPolicy();
    policy.next(1, 1);
    assertEquals(policy.next(1.01, 1.01), "spin");
    assertEquals(policy.next(2, 2), "turn");
    assertEquals(policy.next(2.01, 2.01), "sleep");
    assertEquals(policy.next(2.04, 2.04), "sleep");
    assertEquals(policy.next(3, 3), "block");
  });

  it("takes a turn of 50 µs for unshared only where the shortest was as long, as on a slow machine", () => {
    for (const [shortest, step] of [[0.003, "turn"], [0.045, "sleep"]] as const) {
      const policy = new WaitPolicy();
      policy.next(1, 1);
      policy.next(1 + shortest, 1 + shortest);
      policy.next(1.1, 1.1);
      assertEquals(policy.next(1.15, 1.15), step, `shortest: ${shortest} ms`);
    }
  });

  it("sleeps right after a finding where a gap of that length is expected, but for one in 16", () => {
    const policy = new WaitPolicy();
    longGaps(policy, 4);
    const now = performance.now();
    assertEquals(policy.found(now, now), false);
    assertEquals(policy.next(LONG_AGO, LONG_AGO), "turn");
    assertEquals(policy.next(LONG_AGO + 1, LONG_AGO + 1), "turn");
    assertEquals(policy.next(LONG_AGO + 1, LONG_AGO + 1), "sleep");
    const sleeps = Array.from({ length: 17 }, () => policy.found(now - 1, now));
    assertEquals(sleeps.indexOf(false), 15);
  });

  it("spins for 100 µs while somebody waits for room to write, whatever the gaps were", () => {
    const policy = new WaitPolicy();
    longGaps(policy, 2);
    policy.expectRoom();
    assertEquals(stepAfter(policy, 0.09), "spin");
    policy.begin();
    assertEquals(stepAfter(policy, 0.11), "sleep");
  });

  for (const found of ["found", "foundByThread"] as const) {
    it(`does not spin after two long gaps, nor sleep after six, until there are short ones again: ${found}`, () => {
      const policy = new WaitPolicy();
      longGaps(policy, 1, found);
      assertEquals(stepAfter(policy, 0), "spin");
      policy.begin();
      longGaps(policy, 2, found);
      assertEquals(stepAfter(policy, 0), "sleep");
      policy.begin();
      longGaps(policy, 3, found);
      assertEquals(stepAfter(policy, 0), "block");
      policy.begin();
      for (let time = 0; time < 3; time++) end(policy, found);
      assertEquals(stepAfter(policy, 0), "sleep");
      policy.begin();
      for (let time = 0; time < 12; time++) end(policy, found);
      assertEquals(stepAfter(policy, 0), "spin");
    });
  }

  it("forgets a gap that was under way when somebody begins to wait", () => {
    const policy = new WaitPolicy();
    policy.next(LONG_AGO, LONG_AGO);
    policy.begin();
    assertEquals(policy.next(0, 0), "spin");
  });
});
