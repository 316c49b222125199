/**
 * Dials with the options of the first argument, JSON, and prints one line of JSON: what came of it.
 *
 * @module
 */
import { connect, isSocketError, sockopt } from "../../../mod.ts";

try {
  using conn = await connect(JSON.parse(Deno.args[0]!));
  const { localAddr, remoteAddr, socket } = conn;
  const protocol = sockopt.SO_PROTOCOL.supported ? socket.getOption(sockopt.SO_PROTOCOL) : undefined;
  console.log(JSON.stringify({ localAddr, remoteAddr, protocol }));
} catch (error) {
  console.log(JSON.stringify({ code: isSocketError(error) ? error.code : (error as Error).message }));
}
