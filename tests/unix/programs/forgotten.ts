/**
 * Receives descriptors and forgets them, for a Deno that gives it `gc()`: tells how many it still has open after each step, as a JSON array.
 *
 * @module
 */
import { listenDatagram, type OwnedFd, socketPair } from "../../../mod.ts";
import { descriptorCount } from "../../support/descriptors.ts";

declare function gc(): void;

const EACH = 50;

const [one, two] = socketPair("seqpacket");
using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });

async function receiveSome(): Promise<OwnedFd[]> {
  await one.sendMessage({ data: new Uint8Array(0), fds: Array(EACH).fill(udp) });
  return (await two.receiveMessage({ maxFds: EACH }))!.fds;
}

/** Collects until so many descriptors are open, or no more go. */
async function collect(expected: number): Promise<number> {
  for (let turn = 0; turn < 200 && descriptorCount() !== expected; turn++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return descriptorCount();
}

// What Deno and this module open on first use is not to be counted.
for (const fd of await receiveSome()) fd.close();
await collect(-1);
const before = descriptorCount();
const counts: number[] = [];

const taken = await receiveSome();
counts.push(await collect(before + EACH) - before);

await receiveSome();
counts.push(await collect(before + EACH) - before);

const [first, second, ...rest] = taken.splice(0);
const opened = first!.open();
const fd = second!.detach();
rest.splice(0);
counts.push(await collect(before + 2) - before);

opened.close();
console.log(JSON.stringify([...counts, Deno.readLinkSync(`/proc/self/fd/${fd}`).startsWith("socket:")]));
