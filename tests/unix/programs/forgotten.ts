/**
 * Receives descriptors and forgets them, for a Deno that gives it `gc()`: tells how many of them are open after each step, as a JSON array.
 *
 * @module
 */
import { listenDatagram, type OwnedFd, socketPair } from "../../../mod.ts";
import { descriptorsOf, leadsTo } from "../support.ts";

declare function gc(): void;

const EACH = 50;

const [one, two] = socketPair("seqpacket");
using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
const target = leadsTo(udp.socket.fd)!;

async function receiveSome(): Promise<OwnedFd[]> {
  await one.sendMessage({ data: new Uint8Array(0), fds: Array(EACH).fill(udp) });
  return (await two.receiveMessage({ maxFds: EACH }))!.fds;
}

/** How many copies there are. */
function copies(): number {
  return descriptorsOf(target).length - 1;
}

/** Collects a few times, and goes on until there are no more copies than expected. */
async function collect(expected: number): Promise<number> {
  for (let turn = 0; turn < 10 || (turn < 1000 && copies() > expected); turn++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return copies();
}

const taken = await receiveSome();
const counts = [await collect(EACH)];

await receiveSome();
counts.push(await collect(EACH));

const [first, second] = taken;
const opened = first!.open();
const fd = second!.detach();
taken.length = 0;
counts.push(await collect(2));

opened.close();
console.log(JSON.stringify([...counts, leadsTo(fd) === target]));
