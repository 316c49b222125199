/**
 * Dials ten addresses at once. The first connection wins; the other dials are cancelled, and their sockets are closed before
 * `connectAny` resolves.
 *
 *     deno run --allow-ffi --allow-net=127.0.0.1 examples/tcp_fan_out.ts
 *
 * Without `--port`, the program opens ten listeners of its own.
 *
 * @module
 */
import { connectAny, listen, type Socket, type TcpConn, type TcpListener } from "../mod.ts";
import { fail, parseArgs, unknownArgument, wholeNumber } from "./arguments.ts";
import { row } from "./table.ts";

const HELP = `Dials ten times at once; the first connection wins, and the other dials are cancelled.

  --host HOST  address or name to dial (127.0.0.1); needs --allow-net for it
  --port PORT  port to dial ten times, 1 to 65535; by default, ten listeners are opened on the host
  --help       show this text`;

const DIALS = 10;

/** Timeout of the dials, and of listeners whose dial was cancelled, in milliseconds. */
const TIMEOUT = 5000;
const SHORT_TIMEOUT = 200;

/** Accepts one connection. Resolves to a description of what the listener observed. */
async function serve(listener: TcpListener): Promise<string> {
  try {
    using conn = await listener.accept();
    const text = await new Response(conn.readable).text();
    return text === "" ? "its listener read the end" : `its listener received ${JSON.stringify(text)}`;
  } catch (error) {
    return `its listener accepted no connection: ${(error as Error).message}`;
  }
}

/** Dials all ports at once. Resolves to the winner and the state of each dial. */
async function race(hostname: string, ports: readonly number[]): Promise<{ winner: TcpConn; states: string[] }> {
  const deadline = new Date(Date.now() + TIMEOUT);
  // control is called with every socket before it dials. A name with several addresses may need several sockets.
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
    unknown: unknownArgument,
  });
  if (args.help) return console.log(HELP);
  const given = args.port === undefined ? null : wholeNumber("port", args.port, 1, 65535);

  using open = new DisposableStack();
  const own = given === null ? DIALS : 0;
  const listeners = Array.from({ length: own }, () => open.use(listen({ hostname: args.host, port: 0 })));
  const served = listeners.map(serve);
  const ports = Array.from({ length: DIALS }, (_, dial) => listeners[dial]?.addr.port ?? given!);

  const started = performance.now();
  const { winner, states } = await race(args.host, ports);
  open.use(winner);
  console.log(`${DIALS} dials at once, the first connection after ${(performance.now() - started).toFixed(1)} ms`);

  if (given === null) await winner.write(new TextEncoder().encode("you won"));
  winner.close();
  for (const listener of listeners) listener.setReadDeadline(new Date(Date.now() + SHORT_TIMEOUT));
  const seen = await Promise.all(served);
  for (const [dial, port] of ports.entries()) {
    const line = [states[dial], seen[dial]].filter(Boolean).join("; ");
    console.log(row([String(dial + 1), `${args.host}:${port}`, line], [2, args.host.length + 6]));
  }
}

try {
  await main();
} catch (error) {
  fail("tcp_fan_out", error);
}
