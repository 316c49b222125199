/**
 * Opens a socket, passes it to another process over a Unix socket, and closes its own descriptor. The other process serves
 * on it from then on. Nothing is lost in between: requests wait in the socket.
 *
 *     deno run --allow-ffi --allow-net=127.0.0.1,unix:/tmp/berkeley-pass.sock --allow-read=/tmp/berkeley-pass.sock --allow-write=/tmp/berkeley-pass.sock --allow-run examples/pass_socket.ts
 *
 * With `--kind tcp` the socket is a TCP listener. The other process then runs without --allow-net for any host and port.
 *
 * @module
 */
import { type AnySocket, connect, fromFd, listen, listenDatagram, type TcpListener, type UdpSocket } from "../mod.ts";
import { fail, parseArgs, unknownArgument } from "./arguments.ts";
import { onStop } from "./signals.ts";

const HELP = `Passes a bound socket to another process, which serves on it.

  --kind KIND  udp, a socket with SO_REUSEPORT, or tcp, a listener (udp)
  --path PATH  Unix socket between the two processes (/tmp/berkeley-pass.sock); needs --allow-read, --allow-write and --allow-net=unix: for it
  --take       run as the other process: receive a socket and serve on it; used internally
  --help       show this text`;

const LOOPBACK = "127.0.0.1";
const REQUESTS = 3;

/** Timeout of every operation, in milliseconds. */
const TIMEOUT = 10_000;

const later = () => new Date(Date.now() + TIMEOUT);
const encoder = new TextEncoder();
const decoder = new TextDecoder();

type Kind = "udp" | "tcp";

function isKind(text: string): text is Kind {
  return text === "udp" || text === "tcp";
}

/** Opens a socket, passes it to the other process, and sends requests to it. */
async function pass(kind: Kind, path: string): Promise<void> {
  using socket = kind === "udp"
    ? listenDatagram({ transport: "udp", hostname: LOOPBACK, reusePort: true })
    : listen({ hostname: LOOPBACK, port: 0 });
  const { port } = socket.addr;
  console.log(`Process ${Deno.pid} opened ${LOOPBACK}:${port}/${kind}`);

  using open = new DisposableStack();
  using _stopping = onStop(() => {
    open.dispose(); // Removes the path.
    Deno.exit(1);
  });
  const listener = open.use(listen({ transport: "unix", path, mode: 0o600, replaceStale: true }));
  listener.setReadDeadline(later());
  await using child = startTaker(kind, path);
  const exited = new AbortController();
  child.status.then(() => exited.abort(new Error("The other process ended before it received the socket")));
  using taker = await listener.accept({ signal: exited.signal });
  const { pid } = taker.peerCredentials();
  if (pid !== child.pid) throw new Error(`Process ${pid} connected, expected process ${child.pid}`);

  // The peer gets another descriptor of the same socket. On a stream, descriptors need at least one byte of data.
  await taker.sendMessage({ data: encoder.encode(kind), fds: [socket] });
  socket.close();
  console.log(`Process ${Deno.pid} passed it to process ${pid} and closed its own descriptor`);

  for (let request = 1; request <= REQUESTS; request++) {
    console.log(`Request ${request}: ${kind === "udp" ? await askUdp(port) : await askTcp(port)}`);
  }
  taker.close(); // The other process reads the end of the stream and exits.
  const { code } = await child.status;
  if (code !== 0) throw new Error(`Process ${pid} failed with exit status ${code}`);
  console.log(`Process ${pid} exited`);
}

/** Starts this program as the other process, with fewer permissions: it does not open the socket itself. */
function startTaker(kind: Kind, path: string): Deno.ChildProcess {
  // Sending answers needs a grant; accepting connections does not.
  const net = kind === "udp" ? `${LOOPBACK},unix:${path}` : `unix:${path}`;
  const grants = ["--allow-ffi", `--allow-net=${net}`, `--allow-read=${path}`, `--allow-write=${path}`];
  const args = ["run", "--no-prompt", ...grants, import.meta.url, "--take", "--path", path];
  return new Deno.Command(Deno.execPath(), { args, stdin: "null" }).spawn();
}

/** The other process: receives one socket and serves on it until the connection to the first process ends. */
async function take(path: string): Promise<void> {
  using giver = await connect({ transport: "unix", path, deadline: later() });
  const message = await giver.receiveMessage();
  const fd = message?.fds[0];
  if (fd === undefined) throw new Error("No socket was passed");
  using socket = fromFd(fd); // An object of the socket's own class.
  const serving = serve(socket);
  await giver.read(new Uint8Array(1));
  socket.close(); // Ends serve().
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
    unknown: unknownArgument,
  });
  if (args.help) return console.log(HELP);
  if (args.take) return await take(args.path);
  if (!isKind(args.kind)) throw new TypeError(`--kind ${args.kind}: expected udp or tcp`);
  await pass(args.kind, args.path);
}

try {
  await main();
} catch (error) {
  fail("pass_socket", error);
}
