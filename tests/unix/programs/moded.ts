/**
 * Listens at a path with a mode, and ends: `moded.ts <path>`.
 *
 * @module
 */
import { listen } from "../../../mod.ts";

listen({ transport: "unix", path: Deno.args[0]!, mode: 0o640 }).close();
