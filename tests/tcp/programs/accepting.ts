/**
 * Accepts one connection and prints what comes of it: "accepted", or the code of the error. Traced, with the first
 * accept4(2) made to fail.
 *
 * @module
 */
import { connect, listen, type SocketError } from "../../../mod.ts";

using listener = listen({ hostname: "127.0.0.1", port: 0 });
using _client = await connect({ port: listener.addr.port });
try {
  using _conn = await listener.accept();
  console.log("accepted");
} catch (error) {
  console.log((error as SocketError).code);
}
