/**
 * Terminates Workers in the middle of a wait on TCP, goes on with TCP itself, and ends by itself: `terminating.ts
 * <what they wait for> <"at once", or "settled" for when a thread waits for them>`.
 *
 * @module
 */
import { connect, listen } from "../../mod.ts";
import { settled } from "../support/turns.ts";
import type { Waiting } from "./waiter.ts";

const HOSTNAME = "127.0.0.1";
const WORKERS = 3;

async function startWorker(waiting: Waiting): Promise<Worker> {
  const worker = new Worker(new URL("./waiter.ts", import.meta.url), { type: "module" });
  const waits = new Promise((resolve, reject) => {
    worker.onmessage = resolve;
    worker.onerror = ({ message }) => reject(new Error(message));
  });
  worker.postMessage(waiting);
  await waits;
  return worker;
}

const [what, when] = Deno.args;
using listener = listen({ hostname: HOSTNAME, port: 0 });
const { port } = listener.addr;
const kept = [];
for (let index = 0; index < WORKERS; index++) {
  const worker = await startWorker({ what: what!, port });
  if (what !== "accept") kept.push(await listener.accept());
  if (when === "settled") await settled();
  worker.terminate();
}
// Something waits here meanwhile, and still works.
const accepting = listener.accept();
using one = await connect({ hostname: HOSTNAME, port });
using two = await accepting;
const reading = two.read(new Uint8Array(8));
await settled();
await one.write(Uint8Array.of(1, 2, 3));
console.log("read", await reading);
for (const conn of kept) conn.close();
console.log("end");
