/**
 * Command line arguments: the source of `jsr:@std/cli/parse-args` as npm has it, for machines that do not reach JSR.
 *
 * @module
 */
// @ts-types="./parse_args.d.ts"
export * from "npm:deno-std@1.4.0/cli/parse_args.js";
