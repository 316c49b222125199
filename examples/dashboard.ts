/**
 * A page that shows live how the kernel spreads datagrams and connections over Workers that share one port.
 *
 *     deno run --allow-ffi --allow-net=127.0.0.1 --allow-read=examples,ffi,mod.ts examples/dashboard.ts
 *
 * Open http://127.0.0.1:8080/ and watch. The page comes through a listener of this module, given away as a descriptor to
 * Deno's `node:http`; the datagrams and connections are made by a Worker more, on loopback only.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { listen, listenDatagram, type TcpListener, type UdpSocket } from "../mod.ts";
import type { Load } from "./dashboard/load.ts";
import type { Seen, Sockets } from "./dashboard/worker.ts";
import { number } from "./arguments.ts";

const HELP = `Shows on a page how datagrams and connections spread over Workers that share a port.

  --workers COUNT      how many Workers, 1 to 8 (4)
  --rate RATE          datagrams to make a second, 0 to 100000 (5000)
  --connections RATE   connections to make a second, 0 to 1000 (100)
  --flows COUNT        how many sockets send the datagrams, 1 to 256 (32)
  --seconds SECONDS    end after so long, 1 to 86400; until Ctrl-C where left out
  --host ADDRESS       where to serve the page (127.0.0.1); needs --allow-net for it
  --port PORT          its port, 0 for any free one (8080)
  --help               this text`;

/** Where the shared port is. The load is made here, and stays here. */
const LOOPBACK = "127.0.0.1";

/** Milliseconds from one look at the counters to the next. */
const TICK = 500;

/** Milliseconds for what is still to go out at the end. */
const GRACE = 200;

/** Pages that may watch at a time. */
const MOST_WATCHERS = 16;

/** What the page is told at every tick. */
interface State {
  /** Milliseconds since the start. */
  time: number;
  load: Load;
  workers: Seen[];
}

/** Opens one socket of each kind for every Worker, each kind on one port. */
function openSockets(count: number): { udp: UdpSocket; tcp: TcpListener }[] {
  using failed = new DisposableStack();
  const all: { udp: UdpSocket; tcp: TcpListener }[] = [];
  while (all.length < count) {
    const [first] = all;
    const common = { hostname: LOOPBACK, reusePort: true };
    const udp = failed.use(listenDatagram({ ...common, transport: "udp", port: first?.udp.addr.port ?? 0 }));
    const tcp = failed.use(listen({ ...common, port: first?.tcp.addr.port ?? 0 }));
    all.push({ udp, tcp });
  }
  failed.move(); // Nothing has failed: they stay open.
  return all;
}

/** Starts a Worker of a file in the folder; what it fails of ends the program. */
function startWorker<T>(file: string, message: T, fail: (error: Error) => void): Worker {
  const worker = new Worker(new URL(`./dashboard/${file}`, import.meta.url), { type: "module" });
  worker.onerror = (event) => {
    event.preventDefault();
    fail(new Error(`${file}: ${event.message}`));
  };
  worker.postMessage(message);
  return worker;
}

/** Starts the Workers and the one that makes the load, and keeps the state by what they tell. */
function startWorkers(
  count: number,
  rates: Pick<Load, "rate" | "connections" | "flows">,
  fail: (error: Error) => void,
): { state: State; workers: Worker[] } {
  // Every socket is bound before the first datagram comes: each one more moves flows from one Worker to another.
  const sockets = openSockets(count);
  const load: Load = { ...rates, udp: sockets[0]!.udp.addr, tcp: sockets[0]!.tcp.addr };
  const state: State = { time: 0, load, workers: sockets.map(() => ({ datagrams: 0, connections: 0 })) };
  const workers = sockets.map(({ udp, tcp }, index) => {
    const worker = startWorker<Sockets>("worker.ts", { udp: udp.detach(), tcp: tcp.detach() }, fail);
    worker.onmessage = ({ data }: MessageEvent<Seen>) => state.workers[index] = data;
    return worker;
  });
  return { state, workers: [...workers, startWorker("load.ts", load, fail)] };
}

/** Serves the page and its events through a listener of ours. */
class Site {
  readonly #server: Server;
  readonly #watchers = new Set<ServerResponse>();
  readonly #html: string;

  constructor(listener: TcpListener, html: string) {
    this.#html = html;
    this.#server = createServer((request, response) => this.#answer(request, response));
    this.#server.listen({ fd: listener.detach() });
  }

  /** Server-Sent Events: a line of data, and an empty one. Who does not read them is let go. */
  tell(state: State): void {
    for (const watcher of this.#watchers) {
      if (watcher.writableLength > 65_536) watcher.destroy();
      else watcher.write(`data: ${JSON.stringify(state)}\n\n`);
    }
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.end("event: end\ndata:\n\n");
    this.#server.close();
    // Who holds a connection open without a word does not hold the program.
    Deno.unrefTimer(setTimeout(() => this.#server.closeAllConnections(), GRACE));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    response.setHeader("cache-control", "no-store");
    response.setHeader("x-content-type-options", "nosniff");
    if (request.method !== "GET") return this.#refuse(response, 405, "Only GET");
    if (request.url === "/") return this.#sendPage(response);
    if (request.url === "/events") return this.#watch(request, response);
    this.#refuse(response, 404, "Only / and /events");
  }

  #sendPage(response: ServerResponse): void {
    // Nothing but what the page itself holds runs in it, and it speaks to nobody but us.
    const nonce = crypto.randomUUID();
    const own = `'nonce-${nonce}'`;
    const policy = `default-src 'none'; script-src ${own}; style-src ${own}; connect-src 'self'; img-src data:`;
    response.writeHead(200, { "content-type": "text/html; charset=utf-8", "content-security-policy": policy });
    response.end(this.#html.replaceAll("{{nonce}}", nonce));
  }

  #watch(request: IncomingMessage, response: ServerResponse): void {
    if (this.#watchers.size === MOST_WATCHERS) return this.#refuse(response, 503, "Too many are watching");
    response.writeHead(200, { "content-type": "text/event-stream", "connection": "close" });
    response.flushHeaders();
    this.#watchers.add(response);
    request.on("close", () => this.#watchers.delete(response));
  }

  #refuse(response: ServerResponse, status: number, text: string): void {
    response.writeHead(status, { "content-type": "text/plain" });
    response.end(`${text}\n`);
  }
}

/** Resolves after so many seconds, or at Ctrl-C. */
async function wait(seconds: number | null): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = seconds === null ? undefined : setTimeout(resolve, seconds * 1000);
  Deno.addSignalListener("SIGINT", resolve);
  await promise;
  Deno.removeSignalListener("SIGINT", resolve);
  clearTimeout(timer);
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["workers", "rate", "connections", "flows", "seconds", "host", "port"],
    boolean: ["help"],
    default: { workers: "4", rate: "5000", connections: "100", flows: "32", host: LOOPBACK, port: "8080" },
    unknown: (arg) => {
      throw new TypeError(`${arg} means nothing here: see --help`);
    },
  });
  if (args.help) return console.log(HELP);
  const count = Math.trunc(number("workers", args.workers, 1, 8));
  const rates = {
    rate: number("rate", args.rate, 0, 100_000),
    connections: number("connections", args.connections, 0, 1000),
    flows: Math.trunc(number("flows", args.flows, 1, 256)),
  };
  const seconds = args.seconds === undefined ? null : number("seconds", args.seconds, 1, 86_400);
  const html = await Deno.readTextFile(new URL("./dashboard/page.html", import.meta.url));

  const listener = listen({ hostname: args.host, port: number("port", args.port, 0, 65535) });
  const { hostname, port } = listener.addr;
  const site = new Site(listener, html);
  const { promise: failed, reject: fail } = Promise.withResolvers<never>();
  const { state, workers } = startWorkers(count, rates, fail);
  const stopped = wait(seconds);
  console.log(`Open http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}/; Ctrl-C stops`);
  const started = performance.now();
  const ticking = setInterval(() => site.tell({ ...state, time: performance.now() - started }), TICK);
  await Promise.race([stopped, failed]);
  clearInterval(ticking);
  site.close();
  for (const worker of workers) worker.terminate();
  for (const [index, { datagrams, connections }] of state.workers.entries()) {
    console.log(`worker ${index + 1}: ${datagrams} datagrams, ${connections} connections`);
  }
}

try {
  await main();
} catch (error) {
  console.error(`dashboard: ${error instanceof Error ? error.message : error}`);
  Deno.exit(1);
}
