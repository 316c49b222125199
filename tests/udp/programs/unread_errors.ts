/**
 * Keeps errors that nobody asks for while it waits for datagrams and for errors, and tells how much processor time that
 * took: { used, waited } in milliseconds on standard output.
 *
 * @module
 */
import process from "node:process";
import { listenDatagram } from "../../../mod.ts";

const WAITED = 500;

function gone(): Deno.NetAddr {
  using socket = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
  return socket.addr;
}

const addr = gone();
using reading = listenDatagram({ transport: "udp", hostname: "127.0.0.1", errors: true });
using writing = listenDatagram({ transport: "udp", hostname: "127.0.0.1", errors: true });
using stamped = listenDatagram({ transport: "udp", hostname: "127.0.0.1", timestamps: { transmit: true } });
const waits = [reading.receive(), stamped.receive()].map((wait) => wait.catch(() => {}));
for (let count = 0; count < 100; count++) {
  for (const socket of [reading, writing, stamped]) await socket.send(new Uint8Array(10), addr);
}
await new Promise((resolve) => setTimeout(resolve, 100));
const before = process.cpuUsage();
await new Promise((resolve) => setTimeout(resolve, WAITED));
const { user, system } = process.cpuUsage(before);
console.log(JSON.stringify({ used: (user + system) / 1000, waited: WAITED }));
reading.close();
stamped.close();
await Promise.all(waits);
