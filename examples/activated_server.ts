/**
 * Echoes on whatever sockets it is started with, by their names. systemd, or its tool for trying things out, opens them
 * and starts the program when somebody comes:
 *
 *     systemd-socket-activate -l 127.0.0.1:7010 -l /tmp/berkeley-activated.sock --fdname=web:local deno run --allow-ffi --allow-env=LISTEN_FDS,LISTEN_PID,LISTEN_FDNAMES examples/activated_server.ts
 *     systemd-socket-activate -d -l 127.0.0.1:7010 --fdname=datagrams deno run --allow-ffi --allow-env=LISTEN_FDS,LISTEN_PID,LISTEN_FDNAMES --allow-net=127.0.0.1 examples/activated_server.ts
 *
 * Then `nc 127.0.0.1 7010`, `nc -U /tmp/berkeley-activated.sock` or `nc -u 127.0.0.1 7010`. The first needs no permission for
 * the network: it opens nothing. Answering a datagram is sending, which does need it.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import {
  type ActivatedSocket,
  activatedSockets,
  type AnySocket,
  type SeqpacketConn,
  type StreamConn,
  type UnixAddr,
} from "../mod.ts";

const HELP = `Echoes on the sockets it is handed by systemd: listeners, connections and datagram sockets of every kind.

  --help  this text

Try it: systemd-socket-activate -l 127.0.0.1:7010 --fdname=web deno run … examples/activated_server.ts
As a service it needs a .socket unit, in which FileDescriptorName= is the name.`;

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** What an object really is shows in what it can do. */
type Listener = Extract<AnySocket, { accept: unknown }>;
type DatagramSocket = Extract<AnySocket, { joinMulticastV4: unknown }>;
type Conn = Exclude<AnySocket, Listener | DatagramSocket>;

/** Serves on one socket until it is closed. */
async function serve({ name, socket }: ActivatedSocket): Promise<void> {
  if ("accept" in socket) await serveListener(name, socket);
  else if ("joinMulticastV4" in socket) await serveDatagrams(name, socket);
  else await serveConn(name, socket); // With Accept=yes, systemd hands over the connection itself.
}

async function serveListener(name: string, listener: Listener): Promise<void> {
  console.log(`${name}: listening on ${spelled(listener.addr)}`);
  for await (const conn of listener) serveConn(name, conn);
}

async function serveConn(name: string, conn: Conn): Promise<void> {
  using _closing = conn;
  try {
    console.log(`${name}: a client`);
    if ("receive" in conn) await echoMessages(conn);
    else await echoBytes(conn);
    console.log(`${name}: a client ended`);
  } catch (error) {
    // One client's trouble is not the server's.
    console.log(`${name}: a client failed: ${(error as Error).message}`);
  }
}

async function echoBytes(conn: StreamConn<Deno.Addr>): Promise<void> {
  await conn.readable.pipeTo(conn.writable);
}

async function echoMessages(conn: SeqpacketConn): Promise<void> {
  for (let message = await conn.receive(); message !== null; message = await conn.receive()) await conn.send(message);
}

async function serveDatagrams(name: string, socket: DatagramSocket): Promise<void> {
  console.log(`${name}: receiving on ${spelled(socket.addr)}`);
  for await (const [data, from] of socket) {
    console.log(`${name}: ${data.length} bytes from ${spelled(from)}`);
    if ("path" in from && from.path === null) continue; // It has no address that one could answer to.
    await socket.send(data, from).catch((error) => console.log(`${name}: no answer: ${error.message}`));
  }
}

function spelled(addr: Deno.NetAddr | UnixAddr): string {
  return "path" in addr ? addr.path ?? "a socket without a name" : `${addr.hostname}:${addr.port}`;
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    boolean: ["help"],
    unknown: (arg) => {
      throw new TypeError(`${arg} means nothing here: see --help`);
    },
  });
  if (args.help) return console.log(HELP);
  const activated = activatedSockets();
  if (activated.length === 0) throw new Error("No socket was handed over: start it as --help says");

  function stop(): void {
    for (const signal of SIGNALS) Deno.removeSignalListener(signal, stop); // The next one does what it does without us.
    for (const { socket } of activated) socket[Symbol.dispose](); // Ends the loops above. What is at a path stays there.
  }
  for (const signal of SIGNALS) Deno.addSignalListener(signal, stop);
  await Promise.all(activated.map(serve));
}

try {
  await main();
} catch (error) {
  console.error(`activated_server: ${error instanceof Error ? error.message : error}`);
  Deno.exit(1);
}
