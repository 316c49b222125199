/**
 * Opens sockets until the process may open no more, sees what fails then and how, and goes on when there is room again.
 * To be run with a low limit of descriptors; it prints a line for each thing it saw.
 *
 * @module
 */
import { isSocketError, listenDatagram, Socket, type UdpSocket } from "../../../mod.ts";

function codeOf(error: unknown): string {
  return isSocketError(error) ? `${error.code} ${error.syscall}` : String(error);
}

/** What a call fails with. */
async function failure(call: () => unknown): Promise<string> {
  try {
    await call();
    return "nothing";
  } catch (error) {
    return codeOf(error);
  }
}

function open(): UdpSocket {
  return listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
}

const sockets: UdpSocket[] = [];
for (;;) {
  try {
    sockets.push(open());
  } catch (error) {
    console.log("open:", codeOf(error));
    break;
  }
}
console.log("again:", await failure(open));
console.log("plain:", await failure(() => Socket.open("inet", "stream")));
console.log("duplicate:", await failure(() => sockets[0]!.socket.duplicate()));
// The first wait of the process: it has nothing to wait with.
console.log("wait:", await failure(() => sockets[0]!.receive()));
for (const socket of sockets.splice(2)) socket.close();
const [one, other] = sockets;
const received = [one!.receive(), one!.receive()];
for (const byte of [1, 2]) await other!.send(Uint8Array.of(byte), one!.addr);
console.log("received:", ...(await Promise.all(received)).map(([data]) => data[0]));
one!.close();
other!.close();
