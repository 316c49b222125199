/**
 * Loaded before the runner of the tests, and before the tests: what either starts as Deno is the script that starts it in
 * the emulator. The kernel cannot start the file that Deno reports as its own there.
 *
 * @module
 */
const script = Deno.env.get("ARM64_DENO");
if (script === undefined) throw new Error("ARM64_DENO is to name the script that starts Deno");
// The runner itself is not emulated; a file of tests may take long, and not for ever.
const path = Deno.build.arch === "aarch64" ? script : `${script}-for-ten-minutes`;
Deno.execPath = () => path;
