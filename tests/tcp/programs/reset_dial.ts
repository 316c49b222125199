/**
 * Dials a listener whose library closes it between two calls of the dial, and prints how that ends.
 *
 * @module
 */
import { connect, isSocketError, listen } from "../../../mod.ts";

using listener = listen({ hostname: "127.0.0.1", port: 0 });
try {
  (await connect({ hostname: "127.0.0.1", port: listener.addr.port })).close();
  console.log("connected");
} catch (error) {
  if (!isSocketError(error)) throw error;
  console.log(`${error.name}: ${error.code}`);
}
