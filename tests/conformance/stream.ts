/**
 * What every connection that carries bytes must do, in the way Go's nettest puts every net.Conn to the same tests. Written once, over pairs of
 * connected ends that the caller makes, and run over everything that extends StreamConn.
 *
 * @module
 */
import { describe } from "@std/testing/bdd";
import { TIMEOUT } from "../support/timeout.ts";
import { registerAborting } from "./stream/aborting.ts";
import { registerBuffers } from "./stream/buffers.ts";
import { registerClosing } from "./stream/closing.ts";
import { registerDeadlines } from "./stream/deadlines.ts";
import { registerFiles } from "./stream/files.ts";
import { registerLooking } from "./stream/looking.ts";
import { registerParts } from "./stream/parts.ts";
import { registerOrder } from "./stream/order.ts";
import type { MakePair } from "./stream/pair.ts";
import { registerRaces } from "./stream/races.ts";
import { registerTransfer } from "./stream/transfer.ts";
import { registerWebStreams } from "./stream/web_streams.ts";

export type { MakePair, Stream, StreamPair } from "./stream/pair.ts";

/** Registers the whole suite. `makePair` is called once for each test; what it made is closed after it, then `stop` is called. */
export function describeStream(name: string, makePair: MakePair): void {
  const subjects = {
    "carries bytes": registerTransfer,
    "looks and counts": registerLooking,
    "writes several buffers": registerParts,
    "sends files": registerFiles,
    "keeps order": registerOrder,
    "survives races": registerRaces,
    "keeps deadlines": registerDeadlines,
    "obeys signals": registerAborting,
    "closes": registerClosing,
    "guards memory": registerBuffers,
    "streams": registerWebStreams,
  };
  for (const [subject, register] of Object.entries(subjects)) {
    describe(`${name} ${subject}`, TIMEOUT, () => register(makePair));
  }
}
