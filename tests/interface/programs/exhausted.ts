/**
 * Lists the interfaces while the process may open no more descriptors, and again when it may. Prints a line for each.
 *
 * @module
 */
import { interfaces, isSocketError, listenDatagram, type UdpSocket } from "../../../mod.ts";

function report(): void {
  try {
    console.log(interfaces().map(({ name }) => name).join(" "));
  } catch (error) {
    console.log(isSocketError(error) ? `${error.code} of ${error.syscall}` : String(error));
  }
}

const sockets: UdpSocket[] = [];
try {
  for (;;) sockets.push(listenDatagram({ transport: "udp", hostname: "127.0.0.1" }));
} catch (error) {
  if (!isSocketError(error) || error.code !== "EMFILE") throw error;
}
report();
for (const socket of sockets) socket.close();
report();
