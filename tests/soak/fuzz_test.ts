import { describe } from "@std/testing/bdd";
import { registerDecoders } from "../fuzz/decoders.ts";
import { knock, noNetworkOfItsOwn } from "../fuzz/running.ts";
import { itUnless } from "../support/skipping.ts";

/** Each chooses other second values. */
const SEEDS = [11, 12, 13, 14, 15, 16];

describe("Decoders", () => registerDecoders(2, 100_000));

describe("Every public function and method", { timeout: 600_000 }, () => {
  for (const seed of SEEDS) {
    itUnless(noNetworkOfItsOwn, `stands all odd values, every other time two at once (seed ${seed})`, async () => {
      await knock(seed, 1, true);
    });
  }
});
