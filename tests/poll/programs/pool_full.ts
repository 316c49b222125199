/**
 * Fills the runtime's pool of threads with files that cannot be opened yet, and receives datagrams meanwhile.
 * Argument: the path of a FIFO that nobody writes to. Prints what was received before any file was open.
 *
 * @module
 */
import { listenDatagram } from "../../../mod.ts";
import { pause } from "../../support/promises.ts";

/** The pool has 32 threads. */
const FILES = 40;

const [fifo] = Deno.args as [string];
using receiver = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
using sender = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
let open = 0;
const files = Array.from({ length: FILES }, async () => {
  const file = await Deno.open(fifo);
  open++;
  return file;
});
let received = 0;
// Short and long pauses, after which the receive spins, sleeps or waits for a thread that it does not get.
for (const milliseconds of [0, 1, 5, 20, 60, 150, 300]) {
  const receiving = receiver.receive();
  await pause(milliseconds);
  await sender.send(new Uint8Array(1), receiver.addr);
  await receiving;
  if (open === 0) received++;
}
console.log(JSON.stringify({ received }));
using _writer = Deno.openSync(fifo, { write: true });
for (const file of await Promise.all(files)) file.close();
