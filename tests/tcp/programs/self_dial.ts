/**
 * Dials a port of loopback from a local address, both in JSON: `self_dial.ts PORT LOCAL_ADDRESS`. Prints "connected", or
 * the error's code.
 *
 * @module
 */
import { connect, isSocketError } from "../../../mod.ts";

const [port, localAddress] = Deno.args.map((text) => JSON.parse(text));
try {
  using _conn = await connect({ port, ...localAddress === null ? {} : { localAddress } });
  console.log("connected");
} catch (error) {
  console.log(isSocketError(error) ? error.code : String(error));
}
