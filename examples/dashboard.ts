/**
 * A page that shows live how the kernel distributes datagrams and connections to Workers that share one port.
 *
 *     deno run --allow-ffi --allow-net=127.0.0.1 --allow-read=examples,ffi,mod.ts examples/dashboard.ts
 *
 * Open http://127.0.0.1:8080/ in a browser. The page is served by Deno's `node:http` on a listener of this module, passed as
 * a descriptor. One more Worker generates the datagrams and connections, on loopback only.
 *
 * @module
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { listen, listenDatagram, type TcpListener, type UdpSocket } from "../mod.ts";
import type { Load } from "./dashboard/load.ts";
import html from "./dashboard/page.html" with { type: "text" };
import type { Seen, Sockets } from "./dashboard/worker.ts";
import { fail, number, parseArgs, unknownArgument, wholeNumber } from "./arguments.ts";
import { onStop } from "./signals.ts";

const HELP = `Serves a page that shows how datagrams and connections are distributed to Workers that share a port.

  --workers COUNT      number of Workers, 1 to 8 (4)
  --rate RATE          datagrams per second, 0 to 100000 (5000)
  --connections RATE   connections per second, 0 to 1000 (100)
  --flows COUNT        number of sockets that send the datagrams, 1 to 256 (32)
  --steer              distribute datagrams by their first byte, not by the addresses of both ends; Linux
  --seconds SECONDS    duration, 1 to 86400; runs until Ctrl-C by default
  --host ADDRESS       address to serve the page on (127.0.0.1); needs --allow-net for it
  --port PORT          port to serve the page on, 0 for a free one (8080)
  --help               show this text`;

/** The address of the shared ports. All load stays on loopback. */
const LOOPBACK = "127.0.0.1";

/** Time between two states sent to the page, in milliseconds. */
const TICK = 500;

/** Time for open responses to end when the program stops, in milliseconds. */
const GRACE = 200;

/** Maximum number of pages that are open at a time. */
const MOST_WATCHERS = 16;

/** The state that the page receives at every tick. */
interface State {
  /** Milliseconds since the start. */
  time: number;
  load: Load;
  workers: Seen[];
}

/** Opens a UDP socket and a TCP listener for every Worker; all of one kind share a port. */
function openSockets(count: number, steered: boolean): { udp: UdpSocket; tcp: TcpListener }[] {
  using failed = new DisposableStack();
  const all: { udp: UdpSocket; tcp: TcpListener }[] = [];
  while (all.length < count) {
    const [first] = all;
    const common = { hostname: LOOPBACK, reusePort: true };
    const rule = steered ? { steer: { byte: 0, modulo: count } } : {};
    const udp = failed.use(listenDatagram({ ...common, ...rule, transport: "udp", port: first?.udp.addr.port ?? 0 }));
    const tcp = failed.use(listen({ ...common, port: first?.tcp.addr.port ?? 0 }));
    all.push({ udp, tcp });
  }
  failed.move(); // No error: keep them open.
  return all;
}

/** Starts a Worker from a file in the dashboard folder. `fail` is called with its error. */
function startWorker<T>(file: string, message: T, fail: (error: Error) => void): Worker {
  const worker = new Worker(new URL(`./dashboard/${file}`, import.meta.url), { type: "module" });
  worker.onerror = (event) => {
    event.preventDefault();
    fail(new Error(`${file}: ${event.message}`));
  };
  worker.postMessage(message);
  return worker;
}

/** Starts the Workers and the one that generates the load. The state is updated by their messages. */
function startWorkers(
  count: number,
  rates: Pick<Load, "rate" | "connections" | "flows" | "steered">,
  fail: (error: Error) => void,
): { state: State; workers: Worker[] } {
  // Bind all sockets before the first datagram arrives: each further socket moves flows between Workers.
  const sockets = openSockets(count, rates.steered);
  const load: Load = { ...rates, udp: sockets[0]!.udp.addr, tcp: sockets[0]!.tcp.addr };
  const state: State = { time: 0, load, workers: sockets.map(() => ({ datagrams: 0, connections: 0 })) };
  const workers = sockets.map(({ udp, tcp }, index) => {
    const worker = startWorker<Sockets>("worker.ts", { udp: udp.detach(), tcp: tcp.detach() }, fail);
    worker.onmessage = ({ data }: MessageEvent<Seen>) => state.workers[index] = data;
    return worker;
  });
  return { state, workers: [...workers, startWorker("load.ts", load, fail)] };
}

/** Serves the page and its events on a listener of this module. */
class Site {
  readonly #server: Server;
  readonly #watchers = new Set<ServerResponse>();
  readonly #html: string;

  constructor(listener: TcpListener, html: string) {
    this.#html = html;
    this.#server = createServer((request, response) => this.#answer(request, response));
    this.#server.listen({ fd: listener.detach() });
  }

  /** Sends the state to every page as a server-sent event. A page that does not read is disconnected. */
  send(state: State): void {
    for (const watcher of this.#watchers) {
      if (watcher.writableLength > 65_536) watcher.destroy();
      else watcher.write(`data: ${JSON.stringify(state)}\n\n`);
    }
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.end("event: end\ndata:\n\n");
    this.#server.close();
    // Idle connections do not keep the program running.
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
    // Only the page's own script runs, and it connects only to this server.
    const nonce = crypto.randomUUID();
    const own = `'nonce-${nonce}'`;
    const policy = `default-src 'none'; script-src ${own}; style-src ${own}; connect-src 'self'; img-src data:`;
    response.writeHead(200, { "content-type": "text/html; charset=utf-8", "content-security-policy": policy });
    response.end(this.#html.replaceAll("{{nonce}}", nonce));
  }

  #watch(request: IncomingMessage, response: ServerResponse): void {
    if (this.#watchers.size === MOST_WATCHERS) return this.#refuse(response, 503, "Too many pages are open");
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

/** Resolves after `seconds`, or at Ctrl-C. */
async function wait(seconds: number | null): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = seconds === null ? undefined : setTimeout(resolve, seconds * 1000);
  using _stopping = onStop(resolve);
  await promise;
  clearTimeout(timer);
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["workers", "rate", "connections", "flows", "seconds", "host", "port"],
    boolean: ["steer", "help"],
    default: { workers: "4", rate: "5000", connections: "100", flows: "32", host: LOOPBACK, port: "8080" },
    unknown: unknownArgument,
  });
  if (args.help) return console.log(HELP);
  const count = wholeNumber("workers", args.workers, 1, 8);
  const rates = {
    rate: number("rate", args.rate, 0, 100_000),
    connections: number("connections", args.connections, 0, 1000),
    flows: wholeNumber("flows", args.flows, 1, 256),
    steered: args.steer,
  };
  const seconds = args.seconds === undefined ? null : number("seconds", args.seconds, 1, 86_400);

  const listener = listen({ hostname: args.host, port: wholeNumber("port", args.port, 0, 65535) });
  const { hostname, port } = listener.addr;
  const site = new Site(listener, html);
  const { promise: failed, reject: fail } = Promise.withResolvers<never>();
  const { state, workers } = startWorkers(count, rates, fail);
  const stopped = wait(seconds);
  console.log(`Open http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}/; Ctrl-C stops`);
  const started = performance.now();
  const ticking = setInterval(() => site.send({ ...state, time: performance.now() - started }), TICK);
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
  fail("dashboard", error, { EADDRINUSE: "choose another port with --port" });
}
