/**
 * Starts Workers that wait for datagrams, terminates them in the middle of it, and ends by itself: `terminating.ts
 * <workers at a time> <"at once", or "settled" for when a thread waits for them>`.
 *
 * @module
 */
import { listenDatagram } from "../../../mod.ts";
import { settled } from "../../support/turns.ts";

/** Starts one and waits until it does. */
async function startWorker(): Promise<{ worker: Worker; port: number }> {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  const port = await new Promise<number>((resolve) => worker.onmessage = ({ data }) => resolve(data));
  return { worker, port };
}

const [count, when] = Deno.args;
const socket = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
for (let round = 0; round < 2; round++) {
  const workers = await Promise.all(Array.from({ length: Number(count) }, startWorker));
  for (const { port } of workers) {
    const peer: Deno.NetAddr = { transport: "udp", hostname: "127.0.0.1", port };
    for (let word = 0; word < 3; word++) await socket.send(Uint8Array.of(word), peer);
    const [[word], from] = await socket.receive();
    console.log("answer", word, from.port === port);
  }
  if (when === "settled") await settled();
  for (const { worker } of workers) worker.terminate();
}
// What waits here still works.
const again = socket.receive();
await socket.send(Uint8Array.of(9), socket.addr);
console.log("our own", (await again)[0][0]);
socket.close();
console.log("end");
