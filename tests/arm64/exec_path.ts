/**
 * Loaded before tests under the emulator: the kernel cannot start the file that Deno reports as its own, so what tests
 * start as Deno is the script that starts it in the emulator.
 *
 * @module
 */
const script = Deno.env.get("BERKELEY_ARM64_DENO");
if (script === undefined) throw new Error("BERKELEY_ARM64_DENO is to name the script that starts Deno");
Deno.execPath = () => script;
