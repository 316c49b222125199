/**
 * An echo server on the sockets that systemd passes to it. systemd, or its tool systemd-socket-activate, opens the sockets
 * and starts the program at the first connection:
 *
 *     systemd-socket-activate -l 127.0.0.1:7010 -l /tmp/berkeley-activated.sock --fdname=web:local deno run --allow-ffi --allow-env=LISTEN_FDS,LISTEN_PID,LISTEN_FDNAMES examples/activated_server.ts
 *     systemd-socket-activate -d -l 127.0.0.1:7010 --fdname=datagrams deno run --allow-ffi --allow-env=LISTEN_FDS,LISTEN_PID,LISTEN_FDNAMES --allow-net=127.0.0.1 examples/activated_server.ts
 *
 * Then run `nc 127.0.0.1 7010`, `nc -U /tmp/berkeley-activated.sock` or `nc -u 127.0.0.1 7010`. The first command line needs
 * no --allow-net, because the program opens no socket. The second needs it to send answers.
 *
 * @module
 */
import {
  type ActivatedSocket,
  activatedSockets,
  type AnySocket,
  type SeqpacketConn,
  type StreamConn,
  type UnixAddr,
} from "../mod.ts";
import { fail, parseArgs, unknownArgument } from "./arguments.ts";
import { onStop } from "./signals.ts";

const HELP = `Echo server on the sockets that systemd passes: listeners, connections and datagram sockets.

  --help  show this text

To try it: systemd-socket-activate -l 127.0.0.1:7010 --fdname=web deno run … examples/activated_server.ts
As a service it needs a .socket unit; FileDescriptorName= sets the name.`;

/** The kinds of sockets, told apart by their methods. */
type Listener = Extract<AnySocket, { accept: unknown }>;
type DatagramSocket = Extract<AnySocket, { joinMulticastV4: unknown }>;
type Conn = Exclude<AnySocket, Listener | DatagramSocket>;

/** Serves one socket until it is closed. */
async function serve({ name, socket }: ActivatedSocket): Promise<void> {
  if ("accept" in socket) await serveListener(name, socket);
  else if ("joinMulticastV4" in socket) await serveDatagrams(name, socket);
  else await serveConn(name, socket); // With Accept=yes, systemd passes the accepted connection.
}

async function serveListener(name: string, listener: Listener): Promise<void> {
  console.log(`${name}: listening on ${format(listener.addr)}`);
  for await (const conn of listener) serveConn(name, conn);
}

async function serveConn(name: string, conn: Conn): Promise<void> {
  using _closing = conn;
  try {
    console.log(`${name}: client connected`);
    if ("receive" in conn) await echoMessages(conn);
    else await echoBytes(conn);
    console.log(`${name}: client ended`);
  } catch (error) {
    // The failure of one client must not stop the server.
    console.log(`${name}: client failed: ${(error as Error).message}`);
  }
}

async function echoBytes(conn: StreamConn<Deno.Addr>): Promise<void> {
  await conn.readable.pipeTo(conn.writable);
}

async function echoMessages(conn: SeqpacketConn): Promise<void> {
  for (let message = await conn.receive(); message !== null; message = await conn.receive()) await conn.send(message);
}

async function serveDatagrams(name: string, socket: DatagramSocket): Promise<void> {
  console.log(`${name}: receiving on ${format(socket.addr)}`);
  for await (const [data, from] of socket) {
    console.log(`${name}: ${data.length} bytes from ${format(from)}`);
    if ("path" in from && from.path === null) continue; // The sender is not bound: there is no address to answer to.
    await socket.send(data, from).catch((error) => console.log(`${name}: cannot answer: ${error.message}`));
  }
}

function format(addr: Deno.NetAddr | UnixAddr): string {
  return "path" in addr ? addr.path ?? "an unnamed socket" : `${addr.hostname}:${addr.port}`;
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    boolean: ["help"],
    unknown: unknownArgument,
  });
  if (args.help) return console.log(HELP);
  const activated = activatedSockets();
  if (activated.length === 0) throw new Error("No socket was passed; see --help for how to start this program");

  // Ends the loops above. The socket files are systemd's.
  using _stopping = onStop(() => activated.forEach(({ socket }) => socket[Symbol.dispose]()));
  await Promise.all(activated.map(serve));
}

try {
  await main();
} catch (error) {
  fail("activated_server", error);
}
