/**
 * Collects statsd metrics: receives them in batches, aggregates them, and prints a table at regular intervals. Ctrl-C prints
 * the last one.
 *
 *     deno run --allow-ffi --allow-net=127.0.0.1 examples/statsd_sink.ts
 *
 * In another terminal: `echo "logins:1|c" | nc -u -w 0 127.0.0.1 8125`. Supported are counters (`logins:1|c`, and with a
 * sampling rate `logins:1|c|@0.1`), gauges (`load:0.7|g`, `load:+0.1|g`), timings (`query:12.5|ms`) and sets
 * (`users:alice|s`). A datagram may have several, one on each line.
 *
 * @module
 */
import { DatagramBatch, listenDatagram, type UdpSocket } from "../mod.ts";
import { fail, number, parseArgs, unknownArgument, wholeNumber } from "./arguments.ts";
import { onStop } from "./signals.ts";

const HELP = `Collects statsd metrics and prints tables of them.

  --interval SECONDS  time between two tables, 0.1 to 3600 (10)
  --once COUNT        exit after this number of datagrams, 1 to 1000000000
  --host ADDRESS      address to listen on (127.0.0.1); needs --allow-net for it
  --port PORT         port to listen on, 0 for a free one (8125)
  --help              show this text

Ctrl-C prints the last table and exits.`;

/** Limits of memory, and the accepted lines, which have no control characters: the senders are not trusted. */
const MOST_METRICS = 10_000;
const MOST_MEMBERS = 100_000;
const LINE = /^([\w.\-/]{1,200}):([^|:]{1,200})\|(c|g|ms|s)(?:\|@(0?\.\d+|1(?:\.0*)?))?(?:\|#.*)?$/;

/** The metrics of one interval. Gauges keep their values from one interval to the next. */
class Metrics {
  datagrams = 0;
  refused = 0;
  readonly #counters = new Map<string, number>();
  readonly #timings = new Map<string, { count: number; sum: number; least: number; most: number }>();
  readonly #sets = new Map<string, Set<string>>();
  /** The number of members of all sets together. */
  #members = 0;
  readonly #gauges: Map<string, number>;

  constructor(before?: Metrics) {
    this.#gauges = before === undefined ? new Map() : before.#gauges;
  }

  take(text: string): void {
    this.datagrams++;
    for (const line of text.split("\n")) {
      if (line !== "" && !this.#takeLine(line)) this.refused++;
    }
  }

  #takeLine(line: string): boolean {
    const [, name, value, type, rate] = line.match(LINE) ?? [];
    if (name === undefined || value === undefined) return false;
    if (type === "s") return this.#add(name, value);
    const number = Number(value);
    if (value.trim() === "" || !Number.isFinite(number)) return false;
    // With a sampling rate, one line represents several events.
    const weight = 1 / Number(rate ?? 1);
    if (!Number.isFinite(weight)) return false;
    switch (type) {
      case "c":
        return this.#put(this.#counters, name, (this.#counters.get(name) ?? 0) + number * weight);
      case "g":
        return this.#put(this.#gauges, name, /^[+-]/.test(value) ? (this.#gauges.get(name) ?? 0) + number : number);
      default:
        return this.#time(name, number, weight);
    }
  }

  #time(name: string, value: number, weight: number): boolean {
    const { count, sum, least, most } = this.#timings.get(name) ?? { count: 0, sum: 0, least: value, most: value };
    return this.#put(this.#timings, name, {
      count: count + weight,
      sum: sum + value * weight,
      least: Math.min(least, value),
      most: Math.max(most, value),
    });
  }

  #add(name: string, value: string): boolean {
    const set = this.#sets.get(name) ?? new Set();
    if (set.has(value)) return true;
    if (this.#members === MOST_MEMBERS || !this.#put(this.#sets, name, set)) return false;
    this.#members++;
    set.add(value);
    return true;
  }

  #put<T>(metrics: Map<string, T>, name: string, value: T): boolean {
    if (metrics.size === MOST_METRICS && !metrics.has(name)) return false;
    metrics.set(name, value);
    return true;
  }

  /** Returns name, type and value of each metric, sorted by name. */
  rows(seconds: number): string[][] {
    return [
      ...Array.from(this.#counters, ([name, sum]) => [name, "counter", `${show(sum)}  (${show(sum / seconds)}/s)`]),
      ...Array.from(this.#gauges, ([name, value]) => [name, "gauge", show(value)]),
      ...Array.from(this.#timings, ([name, { count, sum, least, most }]) => {
        const spread = [least, sum / count, most].map(show).join(" / ");
        return [name, "timing", `${show(count)} times, ${spread} ms`];
      }),
      ...Array.from(this.#sets, ([name, set]) => [name, "set", `${set.size} different`]),
    ].sort(([a], [b]) => a! < b! ? -1 : 1);
  }
}

const show = (value: number) => String(Number(value.toFixed(3)));

function print(metrics: Metrics, seconds: number): void {
  const rows = metrics.rows(seconds);
  const width = Math.max(0, ...rows.map(([name]) => name!.length));
  const refused = metrics.refused === 0 ? "" : `, invalid lines: ${metrics.refused}`;
  console.log(`\n${new Date().toISOString()}  datagrams: ${metrics.datagrams} in ${seconds.toFixed(1)} s${refused}`);
  for (const [name, type, value] of rows) console.log(`  ${name!.padEnd(width)}  ${type!.padEnd(7)}  ${value}`);
}

/** Collects for one interval. Resolves to false if it was the last one. */
async function collect(
  socket: UdpSocket,
  batch: DatagramBatch,
  metrics: Metrics,
  milliseconds: number,
  most: number,
  signal: AbortSignal,
): Promise<boolean> {
  const decoder = new TextDecoder();
  socket.setReadDeadline(new Date(Date.now() + milliseconds));
  try {
    while (metrics.datagrams < most) {
      await socket.receiveMany(batch, { signal });
      const length = Math.min(batch.length, most - metrics.datagrams);
      for (let i = 0; i < length; i++) metrics.take(decoder.decode(batch.data(i)));
    }
    return false;
  } catch (error) {
    if (signal.aborted) return false;
    if (error instanceof Deno.errors.TimedOut) return true; // The interval is over.
    throw error;
  }
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["interval", "once", "host", "port"],
    boolean: ["help"],
    default: { interval: "10", host: "127.0.0.1", port: "8125" },
    unknown: unknownArgument,
  });
  if (args.help) return console.log(HELP);
  const interval = number("interval", args.interval, 0.1, 3600) * 1000;
  let left = args.once === undefined ? Infinity : Math.trunc(number("once", args.once, 1, 1e9));
  const port = wholeNumber("port", args.port, 0, 65535);
  using socket = listenDatagram({ transport: "udp", hostname: args.host, port, receiveBufferSize: 4 << 20 });
  const stopping = new AbortController();
  using _stopping = onStop(() => stopping.abort());
  console.log(`Listening on ${socket.addr.hostname} port ${socket.addr.port}; Ctrl-C stops`);

  const batch = new DatagramBatch({ maxLength: 8192 });
  let metrics = new Metrics();
  for (let goesOn = true; goesOn;) {
    const started = performance.now();
    goesOn = await collect(socket, batch, metrics, interval, left, stopping.signal);
    print(metrics, (performance.now() - started) / 1000);
    left -= metrics.datagrams;
    metrics = new Metrics(metrics);
  }
}

try {
  await main();
} catch (error) {
  fail("statsd_sink", error, { EADDRINUSE: "choose another port with --port" });
}
