/**
 * Opens a socket, hands it to another process over a Unix socket, and closes its own. The other process serves on it from
 * then on, and nothing is lost in between: what comes meanwhile waits in the socket.
 *
 *     deno run --allow-ffi --allow-net=127.0.0.1,unix:/tmp/berkeley-pass.sock --allow-read=/tmp/berkeley-pass.sock --allow-write=/tmp/berkeley-pass.sock --allow-run examples/pass_socket.ts
 *
 * With `--kind tcp` it is a listener in place of a UDP socket. The other process then has no permission to open a port,
 * and needs none.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { type AnySocket, connect, fromFd, listen, listenDatagram, type TcpListener, type UdpSocket } from "../mod.ts";

const HELP = `Hands a bound socket to another process, which serves on it.

  --kind KIND  udp, a socket with SO_REUSEPORT, or tcp, a listener (udp)
  --path PATH  where the two processes meet (/tmp/berkeley-pass.sock); needs --allow-read, --allow-write and --allow-net=unix: for it
  --take       be the other process: take a socket there and serve on it; this program starts itself so
  --help       this text`;

const LOOPBACK = "127.0.0.1";
const REQUESTS = 3;

/** How long to wait for the other process, and for an answer, in milliseconds. */
const PATIENCE = 10_000;

const later = () => new Date(Date.now() + PATIENCE);
const encoder = new TextEncoder();
const decoder = new TextDecoder();

type Kind = "udp" | "tcp";

function isKind(text: string): text is Kind {
  return text === "udp" || text === "tcp";
}

/** Opens a socket, hands it over, and asks whoever serves on it. */
async function pass(kind: Kind, path: string): Promise<void> {
  using socket = kind === "udp"
    ? listenDatagram({ transport: "udp", hostname: LOOPBACK, reusePort: true })
    : listen({ hostname: LOOPBACK, port: 0 });
  const { port } = socket.addr;
  console.log(`Process ${Deno.pid} has opened ${LOOPBACK}:${port}/${kind}`);

  using door = listen({ transport: "unix", path, mode: 0o600, replaceStale: true });
  door.setReadDeadline(later());
  await using child = startTaker(kind, path);
  const gone = new AbortController();
  child.status.then(() => gone.abort(new Error("The other process ended before it took the socket")));
  using taker = await door.accept({ signal: gone.signal });
  const { pid } = taker.peerCredentials();
  if (pid !== child.pid) throw new Error(`Process ${pid} came in place of ${child.pid}: it gets nothing`);

  // The peer gets a copy: another descriptor of the same socket. A stream carries descriptors with a byte at least.
  await taker.sendMessage({ data: encoder.encode(kind), fds: [socket] });
  socket.close();
  console.log(`Process ${Deno.pid} has handed it to process ${pid} and closed its own`);

  for (let request = 1; request <= REQUESTS; request++) {
    console.log(`Request ${request}: ${kind === "udp" ? await askUdp(port) : await askTcp(port)}`);
  }
  taker.close(); // The other process reads the end, and ends too.
  const { code } = await child.status;
  if (code !== 0) throw new Error(`Process ${pid} has failed: exit status ${code}`);
  console.log(`Process ${pid} has ended`);
}

/** Starts this program once more. What it serves on it is given, so that it may open less than we. */
function startTaker(kind: Kind, path: string): Deno.ChildProcess {
  // Answering a datagram is sending, for which Deno wants a grant; accepting needs none.
  const net = kind === "udp" ? `${LOOPBACK},unix:${path}` : `unix:${path}`;
  const grants = ["--allow-ffi", `--allow-net=${net}`, `--allow-read=${path}`, `--allow-write=${path}`];
  const args = ["run", "--no-prompt", ...grants, import.meta.filename!, "--take", "--path", path];
  return new Deno.Command(Deno.execPath(), { args, stdin: "null" }).spawn();
}

/** The other process: takes one socket, and serves on it until whoever handed it over hangs up. */
async function take(path: string): Promise<void> {
  using giver = await connect({ transport: "unix", path, deadline: later() });
  const message = await giver.receiveMessage();
  const fd = message?.fds[0];
  if (fd === undefined) throw new Error("No socket was handed over");
  using socket = fromFd(fd); // The object it really is.
  const serving = serve(socket);
  await giver.read(new Uint8Array(1));
  socket.close(); // Ends the serving.
  await serving;
}

async function serve(socket: AnySocket): Promise<void> {
  const answer = encoder.encode(`served by process ${Deno.pid}`);
  if (isUdp(socket)) {
    for await (const [, from] of socket) await socket.send(answer, from);
  } else if (isTcpListener(socket)) {
    for await (const conn of socket) {
      using _closing = conn;
      await conn.write(answer);
    }
  } else throw new Error("The socket is neither a UDP socket nor a TCP listener");
}

function isUdp(socket: AnySocket): socket is UdpSocket {
  return "joinMulticast" in socket;
}

function isTcpListener(socket: AnySocket): socket is TcpListener {
  return "accept" in socket && socket.addr.transport === "tcp";
}

async function askUdp(port: number): Promise<string> {
  using client = listenDatagram({ transport: "udp", hostname: LOOPBACK });
  client.setReadDeadline(later());
  await client.send(encoder.encode("who serves?"), { transport: "udp", hostname: LOOPBACK, port });
  const [answer] = await client.receive();
  return decoder.decode(answer);
}

async function askTcp(port: number): Promise<string> {
  const deadline = later();
  using conn = await connect({ hostname: LOOPBACK, port, deadline });
  conn.setReadDeadline(deadline);
  return await new Response(conn.readable).text();
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["kind", "path"],
    boolean: ["take", "help"],
    default: { kind: "udp", path: "/tmp/berkeley-pass.sock" },
    unknown: (arg) => {
      throw new TypeError(`${arg} means nothing here: see --help`);
    },
  });
  if (args.help) return console.log(HELP);
  if (args.take) return await take(args.path);
  if (!isKind(args.kind)) throw new TypeError(`--kind ${args.kind}: expected udp or tcp`);
  await pass(args.kind, args.path);
}

try {
  await main();
} catch (error) {
  console.error(`pass_socket: ${error instanceof Error ? error.message : error}`);
  Deno.exit(1);
}
