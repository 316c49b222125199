/**
 * Writes the snapshot of the public surface anew: `deno task surface`.
 *
 * @module
 */
import { readSurface, SNAPSHOT } from "./surface.ts";

await Deno.writeTextFile(SNAPSHOT, await readSurface());
