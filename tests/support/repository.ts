/**
 * Where things are in this repository.
 *
 * @module
 */

/** The folder of mod.ts. */
export const ROOT: URL = new URL("../../", import.meta.url);

/** The path of deno.json. */
export const CONFIG: string = new URL("deno.json", ROOT).pathname;
