/** Stands in for the C programs of this folder where there is no compiler: `fallback.ts udp_flood|udp_echo|stream_load ARGUMENTS`.
 *
 * Arguments and output are theirs. Datagrams go through the module, streams through Deno's own API. */

import { listenDatagram } from "../../../mod.ts";
import { quantile } from "../framework/statistics.ts";

const LENGTH = 64;
const CHUNK = 262_144;

const [program, ...words] = Deno.args;

function report(value: unknown): void {
  console.log(JSON.stringify(value));
}

async function udpFlood(): Promise<void> {
  const [port, length, seconds, segments, rate] = words.map(Number) as [number, number, number, number, number];
  const end = performance.now() + seconds * 1000;
  const interval = rate === 0 ? 0 : 1000 / rate;
  using socket = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
  socket.connect({ transport: "udp", hostname: "127.0.0.1", port });
  const run = new Uint8Array(length * segments);
  report({ started: true });
  for (let now = performance.now(), next = now; now < end; now = performance.now()) {
    if (now < next) continue;
    next = Math.max(next + interval, now - 10 * interval);
    if (segments > 1) await socket.sendSegments(run, length);
    else await socket.send(run);
  }
}

async function udpEcho(): Promise<void> {
  using socket = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
  const end = setTimeout(() => Deno.exit(), Number(words[0]) * 1000);
  Deno.unrefTimer(end);
  report({ port: socket.addr.port });
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const [data, from] = await socket.receive(buffer);
    await socket.send(data, from);
  }
}

const [mode, address, many, idle, warmUp, span] = words;
const connections = Number(many);
let count = 0;
let times: number[] = [];
/** Set when the window is over. */
let over = false;

async function dial(): Promise<Deno.Conn> {
  if (address!.startsWith("unix:")) return await Deno.connect({ transport: "unix", path: address!.slice(5) });
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: Number(address!.slice(4)) });
  conn.setNoDelay(true);
  return conn;
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await conn.write(bytes.subarray(sent));
}

async function roundTrip(conn: Deno.Conn, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const start = performance.now();
  await writeAll(conn, bytes);
  for (let received = 0; received < LENGTH;) {
    const length = await conn.read(bytes.subarray(received));
    if (length === null) throw new Deno.errors.UnexpectedEof("The server hung up");
    received += length;
  }
  times.push((performance.now() - start) * 1000);
  count++;
}

async function echo(): Promise<void> {
  const conn = await dial();
  const bytes = new Uint8Array(LENGTH);
  while (!over) await roundTrip(conn, bytes);
}

async function accept(): Promise<void> {
  const bytes = new Uint8Array(1);
  while (!over) {
    const conn = await dial();
    await conn.read(bytes);
    conn.close();
    count++;
  }
}

async function bulk(): Promise<void> {
  const conn = await dial();
  const bytes = new Uint8Array(CHUNK);
  while (!over) count += (await (mode === "to" ? conn.write(bytes) : conn.read(bytes)) ?? 0) / 2 ** 20;
}

function finish(): void {
  over = true;
  report({ count, rate: count / Number(span) * 1000, median: quantile(times, 0.5), p99: quantile(times, 0.99) });
  Deno.exit();
}

async function streamLoad(): Promise<void> {
  const quiet: Deno.Conn[] = [];
  for (let left = Number(idle); left > 0; left--) quiet.push(await dial());
  if (mode === "hold") {
    for (let left = connections; left > 0; left--) {
      const conn = await dial();
      await roundTrip(conn, new Uint8Array(LENGTH));
      quiet.push(conn);
    }
    report({ started: true });
    await new Promise((resolve) => setTimeout(resolve, 30_000));
    return;
  }
  setTimeout(() => {
    count = 0;
    times = [];
    report({ started: true });
    setTimeout(finish, Number(span));
  }, Number(warmUp));
  const modes: Record<string, () => Promise<void>> = { echo, accept, to: bulk, from: bulk };
  await Promise.all(Array.from({ length: connections }, modes[mode!]!));
}

const programs: Record<string, () => Promise<void>> = {
  udp_flood: udpFlood,
  udp_echo: udpEcho,
  stream_load: streamLoad,
};
await programs[program!]!();
