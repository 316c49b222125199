/**
 * What every connection that keeps message boundaries must do: the suite of stream.ts, said in messages. Written once, over pairs of connected
 * ends that the caller makes.
 *
 * @module
 */
import { describe } from "@std/testing/bdd";
import { TIMEOUT } from "../support/timeout.ts";
import { registerBoundaries } from "./message/boundaries.ts";
import { registerClosing } from "./message/closing.ts";
import { registerMemory } from "./message/memory.ts";
import type { MakeMessagePair } from "./message/pair.ts";
import { registerRaces } from "./message/races.ts";
import { registerWaiting } from "./message/waiting.ts";

export type { MakeMessagePair, MessagePair } from "./message/pair.ts";

/** Registers the whole suite. `makePair` is called once for each test; what it made is closed after it, then `stop` is called. */
export function describeMessages(name: string, makePair: MakeMessagePair): void {
  const subjects = {
    "keeps boundaries": registerBoundaries,
    "waits in order, until a deadline or an abort": registerWaiting,
    "survives races": registerRaces,
    "closes": registerClosing,
    "guards memory": registerMemory,
  };
  for (const [subject, register] of Object.entries(subjects)) {
    describe(`${name} ${subject}`, TIMEOUT, () => register(makePair));
  }
}
