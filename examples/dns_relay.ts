/**
 * A DNS server on a wildcard socket that answers every query from the address it was sent to: a client that asked 127.0.0.2
 * does not accept an answer from 127.0.0.1. `packetInfo` gives that address, and `source` sends from it.
 *
 *     deno run --allow-ffi --allow-net=0.0.0.0,127.0.0.0/8 examples/dns_relay.ts
 *
 * In another terminal: `dig @127.0.0.2 -p 5300 berkeley.test AAAA`. `--record` adds names. Queries for other names are
 * relayed to another server if there is one:
 *
 *     deno run --allow-ffi --allow-net examples/dns_relay.ts --upstream 192.0.2.53:53
 *
 * With `--workers` several Workers share the port, on Linux, and `steer` spreads the queries by their numbers:
 *
 *     deno run --allow-ffi --allow-net=0.0.0.0,127.0.0.0/8 --allow-read=examples,ffi,mod.ts examples/dns_relay.ts --workers 4
 *
 * @module
 */
import { listenDatagram, resolveAddress, type UdpSocket } from "../mod.ts";
import { fail, parseArgs, unknownArgument, wholeNumber } from "./arguments.ts";
import { readRecord, type Zone } from "./dns_relay/message.ts";
import { run, type Settings } from "./dns_relay/relay.ts";
import type { Job } from "./dns_relay/worker.ts";
import { onStop } from "./signals.ts";

const HELP = `DNS server that answers from the address a query was sent to.

  --record NAME=ADDRESS  address of a name; can be repeated
                         (berkeley.test=192.0.2.7 and berkeley.test=2001:db8::7)
  --upstream HOST:PORT   server to relay other names to (none); needs --allow-net for it
  --host ADDRESS         wildcard address to listen on, 0.0.0.0 or :: (0.0.0.0); needs --allow-net for it
  --port PORT            port to listen on, 0 for a free one (5300)
  --interface ADDRESS    answer queries sent to this address; can be repeated (all of loopback);
                         needs --allow-net for the clients
  --workers COUNT        number of Workers that share the port, 1 to 64 (1: no Worker)
  --help                 show this text

Ctrl-C stops.`;

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["record", "upstream", "host", "port", "interface", "workers"],
    boolean: ["help"],
    collect: ["record", "interface"],
    default: { host: "0.0.0.0", port: "5300", workers: "1" },
    unknown: unknownArgument,
  });
  if (args.help) return console.log(HELP);
  const records = args.record.length > 0 ? args.record : ["berkeley.test=192.0.2.7", "berkeley.test=2001:db8::7"];
  const zone: Zone = new Map();
  for (const [name, address] of records.map(readRecord)) zone.set(name, [...zone.get(name) ?? [], address]);
  const upstream = args.upstream === undefined ? null : await resolveAddress("udp", args.upstream);

  const settings = { zone, upstream, addresses: args.interface, prefix: "" };

  const port = wholeNumber("port", args.port, 0, 65535);
  const count = wholeNumber("workers", args.workers, 1, 64);
  onStop(() => Deno.exit()); // Not disposed of: Workers go on after this function.
  if (count > 1) return startWorkers(args.host, port, count, settings);
  using socket = listenDatagram({ transport: "udp", hostname: args.host, port, packetInfo: true });
  console.log(`Listening on ${socket.addr.hostname} port ${socket.addr.port}; Ctrl-C stops`);
  await run(socket, settings);
}

/** Opens a socket for each Worker. The second byte of a query, the lower half of its number, decides which receives it:
 * the queries of one client are spread over all, where a hash of its address would bring all of them to one. */
function startWorkers(hostname: string, port: number, count: number, settings: Settings): void {
  using failed = new DisposableStack();
  const sockets: UdpSocket[] = [];
  while (sockets.length < count) {
    sockets.push(failed.use(listenDatagram({
      transport: "udp",
      hostname,
      port: sockets[0]?.addr.port ?? port,
      packetInfo: true,
      reusePort: true,
      steer: { byte: 1, modulo: count },
    })));
  }
  failed.move(); // No error: the Workers take them over.
  const { addr } = sockets[0]!;
  for (const [index, socket] of sockets.entries()) {
    const worker = new Worker(new URL("./dns_relay/worker.ts", import.meta.url), { type: "module" });
    const job: Job = { fd: socket.detach(), settings: { ...settings, prefix: `worker ${index + 1}: ` } };
    worker.postMessage(job);
  }
  console.log(`Listening on ${addr.hostname} port ${addr.port}; Ctrl-C stops`);
}

try {
  await main();
} catch (error) {
  fail("dns_relay", error, { EADDRINUSE: "choose another port with --port" });
}
