/**
 * Replaces a TCP server by a new version of itself, again and again, while clients are at it: the new process takes the
 * listening socket from the old one over a Unix socket, so that no connection is refused and none is reset.
 *
 *     deno run --allow-ffi --allow-net=127.0.0.1,unix:/tmp/berkeley-restart.sock --allow-read=/tmp/berkeley-restart.sock --allow-write=/tmp/berkeley-restart.sock --allow-run examples/graceful_restart.ts
 *
 * The server is `serve()`; the rest starts its versions and plays the clients. A request is one byte, and the answer is
 * another: the number of the version.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
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
import { wholeNumber } from "./arguments.ts";

const HELP = `Replaces a TCP server by new versions of itself under load, and counts the requests that fail.

  --restarts COUNT  how often, 1 to 200 (20)
  --path PATH       where a version finds the one before (/tmp/berkeley-restart.sock); needs --allow-read, --allow-write and --allow-net=unix: for it
  --serve VERSION   be a version of the server; this program starts itself so
  --help            this text`;

const LOOPBACK = "127.0.0.1";
const CLIENTS = 8;

/** What a client waits between two requests, and how long to wait for anything, in milliseconds. */
const PAUSE = 2;
const PATIENCE = 10_000;

const later = () => new Date(Date.now() + PATIENCE);

/** What goes from version to version: where clients come in, and where the next version does. */
interface Doors {
  clients: TcpListener;
  successors: UnixListener;
}

/** One version of the server. It prints its port once it serves, and later how many connections it has to finish. */
async function serve(version: number, path: string): Promise<void> {
  using old = version === 1 ? null : await connect({ transport: "unix", path, deadline: later() });
  const { clients, successors } = old === null ? openDoors(path) : await takeDoors(old);
  const running = new Set<Promise<void>>();
  const accepting = accept(clients, version, running);
  console.log(clients.addr.port);
  await old?.write(new Uint8Array(1)); // For a moment both accept. Now the old one may stop.

  // Whoever started us ends our standard input to stop us, or by going away.
  Deno.stdin.readable.pipeTo(new WritableStream()).finally(() => successors[Symbol.dispose]());
  let replaced = false;
  for await (const successor of successors) {
    replaced = await handOver(successor, { clients, successors });
    if (replaced) break;
  }

  clients.close(); // What waits in its queue is the successor's: it has the same queue.
  if (!replaced) Deno.removeSync(path);
  await accepting;
  console.log(running.size);
  await Promise.all(running);
}

function openDoors(path: string): Doors {
  return {
    clients: listen({ hostname: LOOPBACK, port: 0 }),
    // The path outlives this process: the next version goes on with it.
    successors: listen({ transport: "unix", path, mode: 0o600, replaceStale: true, unlinkOnClose: false }),
  };
}

async function takeDoors(old: UnixConn): Promise<Doors> {
  old.setDeadline(later());
  const message = await old.receiveMessage();
  const [clients, successors] = message?.fds.map((fd) => fromFd(fd)) ?? [];
  if (isTcpListener(clients) && isUnixListener(successors)) return { clients, successors };
  throw new Error("The old version has not handed over its two listeners");
}

function isTcpListener(socket: AnySocket | undefined): socket is TcpListener {
  return socket !== undefined && "accept" in socket && socket.addr.transport === "tcp";
}

function isUnixListener(socket: AnySocket | undefined): socket is UnixListener {
  return socket !== undefined && "accept" in socket && socket.addr.transport === "unix";
}

/** True once the successor serves. Where it fails on the way, we go on as before. */
async function handOver(successor: UnixConn, { clients, successors }: Doors): Promise<boolean> {
  using _closing = successor;
  try {
    successor.setDeadline(later());
    await successor.sendMessage({ data: new Uint8Array(1), fds: [clients, successors] });
    return await successor.read(new Uint8Array(1)) !== null;
  } catch (error) {
    console.error(`The successor has failed: ${(error as Error).message}`);
    return false;
  }
}

/** Lets clients in until the listener is closed. */
async function accept(listener: TcpListener, version: number, running: Set<Promise<void>>): Promise<void> {
  for await (const conn of listener) {
    const answering = answer(conn, version).finally(() => running.delete(answering));
    running.add(answering);
  }
}

/** Answers every request of a client, until the client ends. */
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

/** A version that runs. */
interface Running {
  version: number;
  child: Deno.ChildProcess;
  /** What it prints, line by line. */
  said: AsyncIterator<string, undefined>;
  port: number;
}

/** Starts a version, and waits until it serves. */
async function start(version: number, path: string): Promise<Running> {
  const net = `--allow-net=${LOOPBACK},unix:${path}`;
  const grants = ["--allow-ffi", net, `--allow-read=${path}`, `--allow-write=${path}`];
  const args = ["run", "--no-prompt", ...grants, import.meta.filename!, "--serve", String(version), "--path", path];
  const child = new Deno.Command(Deno.execPath(), { args, stdin: "piped", stdout: "piped" }).spawn();
  const said = lines(child.stdout);
  const port = Number((await within(child, said.next())).value);
  if (!(port > 0)) throw new Error(`Version ${version} has failed before it served`);
  return { version, child, said, port };
}

/** Waits until a version has finished its connections and exited: how many they were. */
async function finish({ version, child, said }: Running): Promise<number> {
  const open = Number((await within(child, said.next())).value);
  const { code } = await within(child, child.status);
  if (code !== 0) throw new Error(`Version ${version} has failed: exit status ${code}`);
  return open;
}

/** A version that hangs is killed: then it says nothing more. */
async function within<T>(child: Deno.ChildProcess, waiting: Promise<T>): Promise<T> {
  const timer = setTimeout(() => child.kill("SIGKILL"), 2 * PATIENCE);
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

/** Clients that ask without end. */
class Load {
  connections = 0;
  /** Requests answered by each version. */
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

  /** The first client asks once a connection, the last one eight times: some are always in the middle. */
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
      if (await conn.read(answer) === null) throw new Error("The server hung up before it answered");
      this.answers.set(answer[0]!, (this.answers.get(answer[0]!) ?? 0) + 1);
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }
}

/** Restarts a server under load. */
async function restart(restarts: number, path: string): Promise<void> {
  let now = await start(1, path);
  const load = new Load(now.port);
  console.log(`Version 1 (process ${now.child.pid}) serves ${LOOPBACK}:${now.port}; ${CLIENTS} clients ask it`);
  for (let version = 2; version <= restarts + 1; version++) {
    const next = await start(version, path);
    const open = await finish(now);
    console.log(
      `Version ${version} (process ${next.child.pid}) serves; connections that the old one finished: ${open}`,
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
    unknown: (arg) => {
      throw new TypeError(`${arg} means nothing here: see --help`);
    },
  });
  if (args.help) return console.log(HELP);
  if (args.serve === undefined) return await restart(wholeNumber("restarts", args.restarts, 1, 200), args.path);
  await serve(wholeNumber("serve", args.serve, 1, 201), args.path);
  Deno.exit(); // Standard input may still be open.
}

try {
  await main();
} catch (error) {
  console.error(`graceful_restart: ${error instanceof Error ? error.message : error}`);
  Deno.exit(1);
}
