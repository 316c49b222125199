/**
 * Sends connections or datagrams to one port that Workers share, and prints how many each took as it counts them itself:
 * `sharing.ts <"tcp" or "udp">`.
 *
 * @module
 */
import { connect, listenDatagram } from "../../mod.ts";
import type { Opened, Order } from "./sharer.ts";

const HOSTNAME = "127.0.0.1";
const WORKERS = 4;
const CONNECTIONS = 2_000;

/** A source port stays with one Worker: so many of them that chance does not matter. */
const SOURCES = 800;
const ROUNDS = 25;

/** Under way at a time: fewer than any socket's queue holds, so that nothing can be lost for want of room. */
const WINDOW = 64;

/** The next thing a Worker says. */
function said<T>(worker: Worker): Promise<T> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
  });
}

function say(worker: Worker, order: Order): void {
  worker.postMessage(order);
}

/** Starts Workers on one port, the first of which chooses it. */
async function startWorkers(transport: "tcp" | "udp"): Promise<{ workers: Worker[]; port: number }> {
  const workers: Worker[] = [];
  let port = 0;
  for (let index = 0; index < WORKERS; index++) {
    const worker = new Worker(new URL("./sharer.ts", import.meta.url), { type: "module" });
    const opened = said<Opened>(worker);
    say(worker, { open: transport, port, index });
    ({ port } = await opened);
    workers.push(worker);
  }
  return { workers, port };
}

/** Connects until all connections have been, and learns from each who took it. */
async function connectOften(port: number): Promise<number[]> {
  const taken = new Array<number>(WORKERS).fill(0);
  let left = CONNECTIONS;
  await Promise.all(Array.from({ length: WINDOW }, async () => {
    const p = new Uint8Array(8);
    while (left-- > 0) {
      using conn = await connect({ hostname: HOSTNAME, port });
      if (await conn.read(p) !== 1) throw new Error("A connection without an answer");
      taken[p[0]!]!++;
      // Only when the other end has closed: whoever closes first keeps the port for a minute.
      if (await conn.read(p) !== null) throw new Error("A connection with two answers");
    }
  }));
  return taken;
}

/** Sends from many ports, from each the next datagram only after the answer to the one before. */
async function sendOften(port: number): Promise<number[]> {
  const taken = new Array<number>(WORKERS).fill(0);
  let left = SOURCES;
  await Promise.all(Array.from({ length: WINDOW }, async () => {
    while (left-- > 0) {
      using source = listenDatagram({ transport: "udp", hostname: HOSTNAME });
      for (let round = 0; round < ROUNDS; round++) {
        await source.send(Uint8Array.of(round), { transport: "udp", hostname: HOSTNAME, port });
        const [[echoed, index]] = await source.receive();
        if (echoed !== round) throw new Error(`Datagram ${round} was answered as ${echoed}`);
        taken[index!]!++;
      }
    }
  }));
  return taken;
}

const transport = Deno.args[0] === "tcp" ? "tcp" : "udp";
const { workers, port } = await startWorkers(transport);
const taken = transport === "tcp" ? await connectOften(port) : await sendOften(port);
const counted = await Promise.all(workers.map((worker) => {
  const count = said<number>(worker);
  say(worker, { close: true });
  return count;
}));
console.log(JSON.stringify({ taken, counted }));
