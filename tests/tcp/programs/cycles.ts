/**
 * Connects, accepts and closes, over and over. Prints as JSON what is left of it after each quarter. Argument: how many times.
 * Needs `--v8-flags=--expose-gc`.
 *
 * @module
 */
import { connect, listen } from "../../../mod.ts";
import { descriptorCount } from "../../support/descriptors.ts";
import "./warm.ts";

const QUARTERS = 4;
const collect = (globalThis as unknown as { gc: () => void }).gc;

using listener = listen({ hostname: "127.0.0.1", port: 0 });
const { port } = listener.addr;

async function cycle(index: number): Promise<void> {
  const accepting = listener.accept();
  const dialled = await connect({ port, signal: stop.signal });
  const accepted = await accepting;
  // Sometimes with something said, sometimes with something left to wait for.
  if (index % 4 === 0) await dialled.write(Uint8Array.of(index));
  const waiting = index % 3 === 0 ? accepted.read(new Uint8Array(8)).catch(() => null) : null;
  // No connection is left to linger on its port.
  dialled.setLinger(0);
  dialled.close();
  await waiting;
  accepted.close();
}

const stop = new AbortController();
const count = Number(Deno.args[0]);
await cycle(0);
const left = [];
for (let quarter = 0; quarter < QUARTERS; quarter++) {
  for (let index = 0; index < count / QUARTERS; index++) await cycle(index);
  for (let round = 0; round < 3; round++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const { rss, heapUsed, external } = Deno.memoryUsage();
  left.push({ rss, heap: heapUsed + external, descriptors: descriptorCount() });
}
console.log(JSON.stringify(left));
