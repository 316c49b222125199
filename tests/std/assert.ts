/**
 * Assertions: the sources of `jsr:@std/assert` as npm has them, for machines that do not reach JSR.
 *
 * @module
 */
// @ts-types="./assert.d.ts"
export * from "npm:deno-std@1.4.0/assert/mod.js";
