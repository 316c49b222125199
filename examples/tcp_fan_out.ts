/**
 * Dials ten times at once. The first connection wins; the other dials are cancelled, and their sockets are closed before
 * `connectAny` resolves.
 *
 *     deno run --allow-ffi --allow-net=127.0.0.1 examples/tcp_fan_out.ts
 *
 * It opens ten listeners of its own, unless `--port` names one.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { connectAny, listen, type Socket, type TcpConn, type TcpListener } from "../mod.ts";
import { number } from "./arguments.ts";

const HELP = `Dials ten times at once; the first connection wins, and the other dials are cancelled.

  --host HOST  address or name to dial (127.0.0.1); needs --allow-net for it
  --port PORT  port to dial ten times; without it, ten listeners are opened on the host
  --help       this text`;

const DIALS = 10;

/** How long a dial may take, and then how long a listener waits for one that never came, in milliseconds. */
const PATIENCE = 5000;
const SOON = 200;

/** What one listener sees: a loser's connection ends without a word. */
async function serve(listener: TcpListener): Promise<string> {
  try {
    using conn = await listener.accept();
    const text = await new Response(conn.readable).text();
    return text === "" ? "its listener read the end" : `its listener heard ${JSON.stringify(text)}`;
  } catch (error) {
    return `its listener saw nobody: ${(error as Error).message}`;
  }
}

/** Dials every port at once, and tells what became of each dial. */
async function race(hostname: string, ports: readonly number[]): Promise<{ winner: TcpConn; states: string[] }> {
  const deadline = new Date(Date.now() + PATIENCE);
  // Control sees every socket before it goes out, so that we can look at all of them afterwards. A name may need several.
  const sockets: Socket[][] = ports.map(() => []);
  const candidates = ports.map((port, dial) => ({
    hostname,
    port,
    deadline,
    control: (socket: Socket) => void sockets[dial]!.push(socket),
  }));
  const winner = await connectAny(candidates);
  return { winner, states: sockets.map((own) => own.some(isOpen) ? "won" : "cancelled and closed") };
}

function isOpen(socket: Socket): boolean {
  try {
    return socket.fd >= 0;
  } catch (error) {
    if (error instanceof Deno.errors.BadResource) return false;
    throw error;
  }
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["host", "port"],
    boolean: ["help"],
    default: { host: "127.0.0.1" },
    unknown: (arg) => {
      throw new TypeError(`${arg} means nothing here: see --help`);
    },
  });
  if (args.help) return console.log(HELP);
  const given = args.port === undefined ? null : number("port", args.port, 1, 65535);

  using open = new DisposableStack();
  const own = given === null ? DIALS : 0;
  const listeners = Array.from({ length: own }, () => open.use(listen({ hostname: args.host, port: 0 })));
  const served = listeners.map(serve);
  const ports = Array.from({ length: DIALS }, (_, dial) => listeners[dial]?.addr.port ?? given!);

  const started = performance.now();
  const { winner, states } = await race(args.host, ports);
  open.use(winner);
  console.log(`${DIALS} dials at once, the first connection after ${(performance.now() - started).toFixed(1)} ms`);

  if (given === null) await winner.write(new TextEncoder().encode("you have won"));
  winner.close();
  for (const listener of listeners) listener.setReadDeadline(new Date(Date.now() + SOON));
  const seen = await Promise.all(served);
  for (const [dial, port] of ports.entries()) {
    const line = [states[dial], seen[dial]].filter(Boolean).join("; ");
    console.log(`${String(dial + 1).padStart(2)}  ${args.host}:${port}  ${line}`);
  }
}

/** When all ten fail, the reason of the first says most. */
function words(error: unknown): string {
  if (error instanceof AggregateError) return `${error.message}: ${words(error.errors[0])}`;
  return error instanceof Error ? error.message : String(error);
}

try {
  await main();
} catch (error) {
  console.error(`tcp_fan_out: ${words(error)}`);
  Deno.exit(1);
}
