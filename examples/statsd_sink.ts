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
 * With `--workers` several Workers share the port, on Linux. `steer` sends datagrams with the same first letter to the same
 * one, and so all values of a metric:
 *
 *     deno run --allow-ffi --allow-net=127.0.0.1 --allow-read=examples,ffi,mod.ts examples/statsd_sink.ts --workers 2
 *
 * @module
 */
import { fail, number, parseArgs, unknownArgument, wholeNumber } from "./arguments.ts";
import { onStop } from "./signals.ts";
import { row } from "./table.ts";
import { OneCollector, WorkerCollector } from "./statsd_sink/collectors.ts";
import type { Metrics } from "./statsd_sink/metrics.ts";

const HELP = `Collects statsd metrics and prints tables of them.

  --interval SECONDS  time between two tables, 0.1 to 3600 (10)
  --once COUNT        exit after this number of datagrams, 1 to 1000000000
  --workers COUNT     number of Workers that share the port, 1 to 64 (1: no Worker)
  --host ADDRESS      address to listen on (127.0.0.1); needs --allow-net for it
  --port PORT         port to listen on, 0 for a free one (8125)
  --help              show this text

Ctrl-C prints the last table and exits.`;

function print(metrics: Metrics, seconds: number): void {
  const rows = metrics.rows(seconds);
  const width = Math.max(0, ...rows.map(([name]) => name!.length));
  const refused = metrics.refused === 0 ? "" : `, invalid lines: ${metrics.refused}`;
  console.log(`\n${new Date().toISOString()}  datagrams: ${metrics.datagrams} in ${seconds.toFixed(1)} s${refused}`);
  for (const [name, type, value] of rows) console.log(row([name!, type!, value!], [width, 7]));
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["interval", "once", "workers", "host", "port"],
    boolean: ["help"],
    default: { interval: "10", workers: "1", host: "127.0.0.1", port: "8125" },
    unknown: unknownArgument,
  });
  if (args.help) return console.log(HELP);
  const interval = number("interval", args.interval, 0.1, 3600) * 1000;
  let left = args.once === undefined ? Infinity : wholeNumber("once", args.once, 1, 1e9);
  const port = wholeNumber("port", args.port, 0, 65535);
  const workers = wholeNumber("workers", args.workers, 1, 64);
  using collector = workers === 1 ? new OneCollector(args.host, port) : new WorkerCollector(args.host, port, workers);
  const stopping = new AbortController();
  using _stopping = onStop(() => stopping.abort());
  console.log(`Listening on ${collector.addr.hostname} port ${collector.addr.port}; Ctrl-C stops`);

  while (left > 0 && !stopping.signal.aborted) {
    const started = performance.now();
    const metrics = await collector.collect(interval, left, stopping.signal);
    print(metrics, (performance.now() - started) / 1000);
    left -= metrics.datagrams;
  }
}

try {
  await main();
} catch (error) {
  fail("statsd_sink", error, { EADDRINUSE: "choose another port with --port" });
}
