/**
 * Replaces a TCP server by new versions of itself while clients use it: the new process receives the listening socket from
 * the old one over a Unix socket, so that no connection is refused or reset.
 *
 *     deno run --allow-ffi --allow-net=127.0.0.1,unix:/tmp/berkeley-restart.sock --allow-read=/tmp/berkeley-restart.sock --allow-write=/tmp/berkeley-restart.sock --allow-run examples/graceful_restart.ts
 *
 * The server is `serve()`; the rest of the program starts its versions and runs the clients. A request is one byte, and the
 * answer is the number of the version in one byte.
 *
 * @module
 */
import {
  type AnySocket,
  connect,
  fromFd,
  listen,
  type TcpConn,
  type TcpListener,
  type UnixConn,
  type UnixListener,
} from "../mod.ts";
import { fail, parseArgs, unknownArgument, wholeNumber } from "./arguments.ts";
import { onStop } from "./signals.ts";

const HELP = `Replaces a TCP server by new versions of itself under load and counts failed requests.

  --restarts COUNT  number of restarts, 1 to 200 (20)
  --path PATH       Unix socket between two versions (/tmp/berkeley-restart.sock); needs --allow-read, --allow-write and --allow-net=unix: for it
  --serve VERSION   run as one version of the server; used internally
  --help            show this text`;

const LOOPBACK = "127.0.0.1";
const CLIENTS = 8;

/** Pause of a client between two requests, and timeout of every operation, in milliseconds. */
const PAUSE = 2;
const TIMEOUT = 10_000;

const later = () => new Date(Date.now() + TIMEOUT);

/** The listeners passed from version to version: for clients, and for the next version. */
interface Listeners {
  clients: TcpListener;
  successors: UnixListener;
}

/** Runs one version of the server. It prints its port when it is ready, and at the end the number of open connections. */
async function serve(version: number, path: string): Promise<void> {
  using old = version === 1 ? null : await connect({ transport: "unix", path, deadline: later() });
  const { clients, successors } = old === null ? openListeners(path) : await receiveListeners(old);
  const running = new Set<Promise<void>>();
  const accepting = accept(clients, version, running);
  console.log(clients.addr.port);
  await old?.write(new Uint8Array(1)); // Both versions accept for a moment. Now the old one can stop.

  // The end of standard input stops the server. At Ctrl-C the program that started it ends it.
  using _ignored = onStop(() => {});
  Deno.stdin.readable.pipeTo(new WritableStream()).finally(() => successors[Symbol.dispose]());
  let replaced = false;
  for await (const successor of successors) {
    replaced = await passListeners(successor, { clients, successors });
    if (replaced) break;
  }

  clients.close(); // Connections in its queue are accepted by the successor, which shares the queue.
  if (!replaced) Deno.removeSync(path);
  await accepting;
  console.log(running.size);
  await Promise.all(running);
}

function openListeners(path: string): Listeners {
  return {
    clients: listen({ hostname: LOOPBACK, port: 0 }),
    // The path stays when this process ends: the next version uses it.
    successors: listen({ transport: "unix", path, mode: 0o600, replaceStale: true, unlinkOnClose: false }),
  };
}

async function receiveListeners(old: UnixConn): Promise<Listeners> {
  old.setDeadline(later());
  const message = await old.receiveMessage();
  const [clients, successors] = message?.fds.map((fd) => fromFd(fd)) ?? [];
  if (isTcpListener(clients) && isUnixListener(successors)) return { clients, successors };
  throw new Error("The old version did not pass its two listeners");
}

function isTcpListener(socket: AnySocket | undefined): socket is TcpListener {
  return socket !== undefined && "accept" in socket && socket.addr.transport === "tcp";
}

function isUnixListener(socket: AnySocket | undefined): socket is UnixListener {
  return socket !== undefined && "accept" in socket && socket.addr.transport === "unix";
}

/** Passes the listeners to the successor. Resolves to true when it is ready, and to false if it failed. */
async function passListeners(successor: UnixConn, { clients, successors }: Listeners): Promise<boolean> {
  using _closing = successor;
  try {
    successor.setDeadline(later());
    await successor.sendMessage({ data: new Uint8Array(1), fds: [clients, successors] });
    return await successor.read(new Uint8Array(1)) !== null;
  } catch (error) {
    console.error(`The successor failed: ${(error as Error).message}`);
    return false;
  }
}

/** Accepts clients until the listener is closed. */
async function accept(listener: TcpListener, version: number, running: Set<Promise<void>>): Promise<void> {
  for await (const conn of listener) {
    const answering = answer(conn, version).finally(() => running.delete(answering));
    running.add(answering);
  }
}

/** Answers the requests of a client until it ends the connection. */
async function answer(conn: TcpConn, version: number): Promise<void> {
  using _closing = conn;
  const request = new Uint8Array(1);
  try {
    conn.setDeadline(later());
    while (await conn.read(request) !== null) await conn.write(Uint8Array.of(version));
  } catch (error) {
    console.error(`Version ${version}: ${(error as Error).message}`);
  }
}

/** A running version. */
interface Running {
  version: number;
  child: Deno.ChildProcess;
  /** Its standard output, line by line. */
  output: AsyncIterator<string, undefined>;
  port: number;
}

/** The versions that are running: what is started while another still serves is among them. */
const children = new Set<Deno.ChildProcess>();

/** Ends all versions at once and removes their path: at Ctrl-C, which can come while one takes over from another. */
function abandon(path: string): never {
  for (const child of children) child.kill("SIGKILL");
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  Deno.exit(1);
}

/** Starts a version and waits until it is ready. */
async function start(version: number, path: string): Promise<Running> {
  const net = `--allow-net=${LOOPBACK},unix:${path}`;
  const grants = ["--allow-ffi", net, `--allow-read=${path}`, `--allow-write=${path}`];
  const args = ["run", "--no-prompt", ...grants, import.meta.url, "--serve", String(version), "--path", path];
  const child = new Deno.Command(Deno.execPath(), { args, stdin: "piped", stdout: "piped" }).spawn();
  children.add(child);
  child.status.then(() => children.delete(child));
  const output = lines(child.stdout);
  const port = Number((await withTimeout(child, output.next())).value);
  if (!(port > 0)) throw new Error(`Version ${version} failed before it was ready`);
  return { version, child, output, port };
}

/** Waits until a version has finished its connections and exited. Resolves to the number of those connections. */
async function finish({ version, child, output }: Running): Promise<number> {
  const open = Number((await withTimeout(child, output.next())).value);
  const { code } = await withTimeout(child, child.status);
  if (code !== 0) throw new Error(`Version ${version} failed with exit status ${code}`);
  return open;
}

/** Waits for something from a version, which is killed after the timeout. */
async function withTimeout<T>(child: Deno.ChildProcess, waiting: Promise<T>): Promise<T> {
  const timer = setTimeout(() => child.kill("SIGKILL"), 2 * TIMEOUT);
  try {
    return await waiting;
  } finally {
    clearTimeout(timer);
  }
}

async function* lines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string, undefined> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const found = (rest + text).split("\n");
    rest = found.pop()!;
    yield* found;
  }
}

/** Clients that send requests until they are stopped. */
class Load {
  connections = 0;
  /** Number of requests answered by each version. */
  readonly answers = new Map<number, number>();
  readonly failures: string[] = [];
  #stopped = false;
  readonly #clients: Promise<void>[];

  constructor(port: number) {
    this.#clients = Array.from({ length: CLIENTS }, (_, index) => this.#ask(port, index + 1));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#clients);
  }

  /** Sends `requests` requests on each connection. The number differs by client, so that some are always under way. */
  async #ask(port: number, requests: number): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#connection(port, requests);
      } catch (error) {
        this.failures.push((error as Error).message);
      }
    }
  }

  async #connection(port: number, requests: number): Promise<void> {
    const deadline = later();
    using conn = await connect({ hostname: LOOPBACK, port, deadline });
    conn.setDeadline(deadline);
    this.connections++;
    const answer = new Uint8Array(1);
    for (let request = 0; request < requests; request++) {
      await conn.write(new Uint8Array(1));
      if (await conn.read(answer) === null) throw new Error("The server closed the connection before it answered");
      this.answers.set(answer[0]!, (this.answers.get(answer[0]!) ?? 0) + 1);
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }
}

/** Runs the restarts under load and prints the result. */
async function restart(restarts: number, path: string): Promise<void> {
  using _stopping = onStop(() => abandon(path));
  let now = await start(1, path);
  const load = new Load(now.port);
  console.log(`Version 1 (process ${now.child.pid}) serves ${LOOPBACK}:${now.port} to ${CLIENTS} clients`);
  for (let version = 2; version <= restarts + 1; version++) {
    const next = await start(version, path);
    const open = await finish(now);
    console.log(
      `Version ${version} (process ${next.child.pid}) serves; connections finished by the old version: ${open}`,
    );
    now = next;
  }
  await load.stop();
  await now.child.stdin.close();
  await finish(now);

  const { answers, connections, failures } = load;
  const requests = [...answers.values()].reduce((sum, count) => sum + count, failures.length);
  for (const failure of new Set(failures)) console.log(`Failed: ${failure}`);
  console.log(`${requests} requests on ${connections} connections, answered by ${answers.size} versions`);
  console.log(`Restarts: ${restarts}, failures: ${failures.length}`);
  if (failures.length > 0 || answers.size !== restarts + 1) Deno.exitCode = 1;
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["restarts", "path", "serve"],
    boolean: ["help"],
    default: { restarts: "20", path: "/tmp/berkeley-restart.sock" },
    unknown: unknownArgument,
  });
  if (args.help) return console.log(HELP);
  if (args.serve === undefined) return await restart(wholeNumber("restarts", args.restarts, 1, 200), args.path);
  await serve(wholeNumber("serve", args.serve, 1, 201), args.path);
  Deno.exit(); // Standard input may still be open.
}

try {
  await main();
} catch (error) {
  fail("graceful_restart", error);
}
