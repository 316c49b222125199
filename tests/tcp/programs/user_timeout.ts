/**
 * Connects, and when a line comes on standard input writes until that fails: `user_timeout.ts HOST PORT`.
 *
 * @module
 */
import { connect, isSocketError } from "../../../mod.ts";
import { Lines } from "../../support/lines.ts";

const [hostname, port] = Deno.args as [string, string];
using conn = await connect({ hostname, port: Number(port), userTimeout: 300 });
console.log("connected");
await new Lines(Deno.stdin.readable).find(/^go$/);
try {
  await conn.write(new Uint8Array(1));
  await conn.read(new Uint8Array(1));
} catch (error) {
  console.log(`failed ${isSocketError(error) ? error.code : error}`);
}
Deno.exit();
