/**
 * Several Workers serve HTTP on one port. Each has a listener of its own, opened here with `reusePort: true` and passed as a
 * descriptor; the kernel distributes connections over them. HTTP itself is Deno's `node:http`.
 *
 *     deno run --allow-ffi --allow-net=127.0.0.1 --allow-read=examples examples/http_reuse_port.ts
 *
 * The program sends requests, each on a new connection, and prints which Worker answered. With `--serve` it serves until
 * Ctrl-C.
 *
 * @module
 */
import { connect, listen, type TcpListener } from "../mod.ts";
import { fail, parseArgs, unknownArgument, wholeNumber } from "./arguments.ts";
import { Steps } from "./progress.ts";
import { onStop } from "./signals.ts";

const HELP = `Several Workers serve HTTP on one port; the kernel distributes connections over them.

  --workers COUNT   number of Workers, 1 to 64 (4)
  --requests COUNT  number of requests to send, each on a new connection, 1 to 10000 (400)
  --serve           send no requests, serve until Ctrl-C
  --host ADDRESS    address to serve on (127.0.0.1); needs --allow-net for it
  --port PORT       port to serve on, 0 for a free one (0)
  --help            show this text`;

/** Timeout of a request, in milliseconds. */
const TIMEOUT = 5000;

/** Opens one listener for each Worker, all on one port. */
function openListeners(hostname: string, port: number, count: number): TcpListener[] {
  using failed = new DisposableStack();
  const first = failed.use(listen({ hostname, port, reusePort: true }));
  const listeners = [first];
  while (listeners.length < count) {
    listeners.push(failed.use(listen({ hostname, port: first.addr.port, reusePort: true })));
  }
  failed.move(); // No error: keep them open.
  return listeners;
}

/** Starts a Worker on a listener. Descriptors belong to the process, so passing the number is enough. */
async function startWorker(listener: TcpListener, name: string): Promise<Worker> {
  const worker = new Worker(new URL("./http_reuse_port_worker.ts", import.meta.url), { type: "module" });
  const listening = new Promise((resolve, reject) => {
    worker.onmessage = resolve;
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(`${name}: ${event.message}`));
    };
  });
  worker.postMessage({ fd: listener.detach(), name });
  await listening;
  return worker;
}

/** Sends one request on a new connection. Resolves to the name of the Worker that answered. */
async function ask(hostname: string, port: number): Promise<string> {
  const deadline = new Date(Date.now() + TIMEOUT);
  using conn = await connect({ hostname, port, deadline });
  conn.setDeadline(deadline);
  await conn.write(new TextEncoder().encode(`GET / HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`));
  const answer = await new Response(conn.readable).text();
  return answer.match(/^worker \d+$/m)?.[0] ?? `no answer: ${JSON.stringify(answer)}`;
}

/** Sends requests one after another and prints how many each Worker answered. */
async function showSpread(hostname: string, port: number, requests: number, names: readonly string[]): Promise<void> {
  const counts = new Map(names.map((name) => [name, 0]));
  using steps = new Steps(requests, "requests");
  while (steps.done < requests) {
    const name = await ask(hostname, port);
    counts.set(name, (counts.get(name) ?? 0) + 1);
    steps.done++;
  }
  steps.clear();
  const most = Math.max(...counts.values());
  for (const [name, count] of counts) console.log(`${name} ${"█".repeat(Math.round(count / most * 40))} ${count}`);
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["workers", "requests", "host", "port"],
    boolean: ["serve", "help"],
    default: { workers: "4", requests: "400", host: "127.0.0.1", port: "0" },
    unknown: unknownArgument,
  });
  if (args.help) return console.log(HELP);
  const requests = wholeNumber("requests", args.requests, 1, 10_000);
  const count = wholeNumber("workers", args.workers, 1, 64);

  const listeners = openListeners(args.host, wholeNumber("port", args.port, 0, 65535), count);
  const { hostname, port } = listeners[0]!.addr;
  const names = listeners.map((_, index) => `worker ${index + 1}`);
  const workers = await Promise.all(listeners.map((listener, index) => startWorker(listener, names[index]!)));
  const many = workers.length === 1 ? "1 Worker serves" : `${workers.length} Workers serve`;
  console.log(`${many} http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}/`);

  if (args.serve) {
    const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
    using _stopping = onStop(stop);
    console.log("Ctrl-C stops");
    await stopped;
  } else {
    console.log(`${requests} requests, each on a new connection:`);
    await showSpread(hostname, port, requests, names);
  }
  for (const worker of workers) worker.terminate();
}

try {
  await main();
} catch (error) {
  fail("http_reuse_port", error, { EADDRINUSE: "choose another port with --port" });
}
