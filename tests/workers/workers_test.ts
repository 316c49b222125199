import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { type DenoOptions, type Finished, startDeno } from "../support/process.ts";

noDescriptorLeaks();

const TIMEOUT = { timeout: 120_000 } as const;

/** How much of the whole is to come through one port. */
const WHOLE = { tcp: 2_000, udp: 20_000 } as const;

// In processes of their own: the poller is chosen once for each, and what a terminated Worker had open stays open until its process ends.
async function ended(program: string, options: DenoOptions): Promise<Finished> {
  await using child = startDeno(new URL(`./${program}.ts`, import.meta.url), options);
  const finished = await child.finished();
  assert(finished.success, finished.report);
  return finished;
}

describe("Four Workers on one port", TIMEOUT, () => {
  for (const [transport, what] of [["tcp", "2,000 connections"], ["udp", "20,000 datagrams"]] as const) {
    it(`take between 15 and 35 % of ${what} each, and none is lost`, async () => {
      const { stdout, report } = await ended("sharing", { args: [transport] });
      const { taken, counted } = JSON.parse(stdout) as { taken: number[]; counted: number[] };
      assertEquals(counted, taken, report);
      assertEquals(counted.reduce((sum, count) => sum + count), WHOLE[transport]);
      for (const count of counted) {
        const share = count / WHOLE[transport];
        assert(share >= 0.15 && share <= 0.35, `shares of ${counted.join(", ")}`);
      }
    });
  }
});

describe("A Worker that is terminated", TIMEOUT, () => {
  for (const what of ["accept", "read", "write", "everything"]) {
    for (const [when, word] of [["as soon as it waits", "at once"], ["when a thread waits for it", "settled"]]) {
      const waiting = what === "everything" ? "several waits" : `a TCP ${what}`;
      it(`in the middle of ${waiting}, ${when}, does not hang the process, which ends by itself`, async () => {
        const { stdout, report } = await ended("terminating", { args: [what, word!] });
        assertEquals(stdout.split("\n"), ["read 3", "end"], report);
      });
    }
  }
});

describe("A process that only waits", TIMEOUT, () => {
  const kinds = [
    "a TCP listener",
    "a loop over a TCP listener",
    "a read from a TCP connection",
    "a write to a TCP connection",
    "a UDP socket",
    "a Unix listener",
    "a read from a Unix connection",
    "a Unix datagram socket",
    "a seqpacket connection",
    "all of them",
  ];
  for (const kind of kinds) {
    it(`for ${kind} ends by itself when unref'd`, async () => {
      const { stdout, report } = await ended("quiet", { args: [kind, "unref"] });
      assertEquals(stdout.split("\n"), ["unloaded"], report);
    });
  }
  for (const kind of ["a TCP listener", "a read from a Unix connection", "a UDP socket"]) {
    it(`for ${kind} is held by it when not unref'd`, async () => {
      const { stdout, report } = await ended("quiet", { args: [kind, "ref"] });
      assertEquals(stdout.split("\n"), ["held", "unloaded"], report);
    });
  }
});
