/**
 * An HTTP server behind a proxy that knows its clients: it reads the header of the PROXY protocol, version 1 or 2, which
 * HAProxy and others write at the beginning of a connection, and serves the rest with `node:http`.
 *
 *     deno run --allow-ffi --allow-net=127.0.0.1 examples/proxy_protocol.ts
 *
 * In HAProxy's configuration: `server app 127.0.0.1:8080 send-proxy-v2`. Without a proxy:
 * `printf 'PROXY TCP4 192.0.2.7 192.0.2.1 5555 80\r\nGET / HTTP/1.0\r\n\r\n' | nc 127.0.0.1 8080`.
 *
 * The header is looked at before it is taken: `peek` leaves the bytes where they are, and what is read is exactly the
 * header. So the descriptor can go to `node:http` as if the client itself had connected.
 *
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Socket } from "node:net";
import { listen, sockopt, type TcpConn } from "../mod.ts";
import { fail, parseArgs, unknownArgument, wholeNumber } from "./arguments.ts";
import { onStop } from "./signals.ts";
import { type Header, MOST, readHeader } from "./proxy_protocol/header.ts";

const HELP = `Serves HTTP behind a proxy that speaks the PROXY protocol.

  --host ADDRESS   address to listen on (127.0.0.1); needs --allow-net for it
  --port PORT      port to listen on, 0 for a free one (8080)
  --trust ADDRESS  address of a proxy; can be repeated (127.0.0.1 and ::1). Others are refused,
                   since any client can write a header
  --help           show this text

Ctrl-C stops.`;

/** How long a proxy may take for its header, in milliseconds. */
const HEADER_TIMEOUT = 5000;

/** What the proxy said of the connections that are served now. */
const clients = new WeakMap<Socket, Header["about"]>();

/** Waits for the whole header and takes it, and nothing of what follows. */
async function takeHeader(conn: TcpConn): Promise<Header> {
  conn.setReadDeadline(HEADER_TIMEOUT);
  const buffer = new Uint8Array(MOST);
  for (;;) {
    const length = await conn.peek(buffer);
    if (length === null) throw new Error("the connection ended without a header");
    const reading = readHeader(buffer.subarray(0, length));
    if ("error" in reading) throw new Error(reading.error);
    if ("header" in reading) {
      conn.socket.setOption(sockopt.SO_RCVLOWAT, 1);
      for (let left = reading.header.length; left > 0;) left -= await conn.read(buffer.subarray(0, left)) ?? left;
      return reading.header;
    }
    // Peeking again would find the same bytes at once. This lets the system wait until there are enough.
    conn.socket.setOption(sockopt.SO_RCVLOWAT, reading.atLeast);
    await conn.socket.readable();
    if (await conn.peek(buffer) === length) throw new Error("the connection ended in the middle of a header");
  }
}

/** Reads the header of a connection and hands it to the HTTP server. */
async function serve(conn: TcpConn, trusted: readonly string[], server: ReturnType<typeof createServer>) {
  const { hostname, port } = conn.remoteAddr;
  try {
    if (!trusted.includes(hostname)) throw new Error("not a trusted proxy");
    const { about } = await takeHeader(conn);
    const socket = new Socket({ fd: conn.detach() });
    clients.set(socket, about);
    server.emit("connection", socket);
  } catch (error) {
    console.log(`${hostname} port ${port}: ${(error as Error).message}`);
    conn[Symbol.dispose]();
  }
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const about = clients.get(request.socket) ?? null;
  const client = about?.client ?? "the proxy itself";
  console.log(`${client} ${request.method} ${request.url}`);
  response.setHeader("content-type", "application/json");
  response.end(`${JSON.stringify({ client, server: about?.server, proxy: request.socket.remoteAddress })}\n`);
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["host", "port", "trust"],
    boolean: ["help"],
    collect: ["trust"],
    default: { host: "127.0.0.1", port: "8080" },
    unknown: unknownArgument,
  });
  if (args.help) return console.log(HELP);
  const trusted = args.trust.length > 0 ? args.trust : ["127.0.0.1", "::1"];
  using listener = listen({ hostname: args.host, port: wholeNumber("port", args.port, 0, 65535) });
  const server = createServer(answer);
  using _stop = onStop(() => Deno.exit());
  console.log(`Listening on ${listener.addr.hostname} port ${listener.addr.port}; Ctrl-C stops`);
  for await (const conn of listener) serve(conn, trusted, server);
}

try {
  await main();
} catch (error) {
  fail("proxy_protocol", error);
}
