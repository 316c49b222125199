/**
 * Looks names up while the process may open no more descriptors, and again when it may. Prints a line for each.
 *
 * @module
 */
import { isSocketError, listenDatagram, resolveAddress, type UdpSocket } from "../../../mod.ts";
import { openForSignals } from "../../support/signals.ts";

const sockets: UdpSocket[] = [];

/** Prints how a lookup ended. */
async function report(what: string, lookup: () => unknown): Promise<void> {
  try {
    await lookup();
    console.log(`${what}: found`);
  } catch (error) {
    console.log(`${what}: ${(error as Error).message}${isSocketError(error) ? "" : " (no SocketError)"}`);
  }
}

// Opens what later calls need, and Deno.
openForSignals();
await resolveAddress("tcp", "localhost:1");
try {
  for (;;) sockets.push(listenDatagram({ transport: "udp", hostname: "127.0.0.1" }));
} catch (error) {
  if (!isSocketError(error) || error.code !== "EMFILE") throw error;
}
await report("resolveAddress", () => resolveAddress("tcp", "both.test:1"));
await report("send", () => sockets[0]!.send(new Uint8Array(1), { transport: "udp", hostname: "both.test", port: 9 }));
await report("unknown", () => resolveAddress("tcp", "unknown.test:1"));
for (const socket of sockets.splice(1)) socket.close();
await report("with room", () => resolveAddress("tcp", "both.test:1"));
await report("unknown, with room", () => resolveAddress("tcp", `${"x".repeat(64)}.invalid:1`));
sockets[0]!.close();
