/**
 * A TCP echo server. Ctrl-C shuts it down gracefully: it accepts no new connections and waits for the open ones to end.
 *
 *     deno run --allow-ffi --allow-net=127.0.0.1 examples/tcp_echo_server.ts
 *
 * Connect with tcp_echo_client.ts or `nc 127.0.0.1 7007`.
 *
 * @module
 */
import { listen, type TcpConn } from "../mod.ts";
import { fail, number, parseArgs, unknownArgument, wholeNumber } from "./arguments.ts";
import { onStop } from "./signals.ts";

const HELP = `TCP echo server.

  --host HOST     address or name to listen on (127.0.0.1); needs --allow-net for it
  --port PORT     port to listen on, 0 for a free one (7007)
  --idle SECONDS  close a connection after this time without data, 0.1 to 3600 (60)
  --help          show this text

Ctrl-C stops accepting connections and waits for the open ones to end; a second Ctrl-C exits at once.`;

/** Echoes until the client ends the stream, is idle for too long, or the connection fails. */
async function echo(conn: TcpConn, idle: number): Promise<void> {
  using _closing = conn;
  const { hostname, port } = conn.remoteAddr;
  const buffer = new Uint8Array(16_384);
  let total = 0;
  try {
    for (;;) {
      // A deadline is a point in time, so set it again for every read.
      conn.setDeadline(new Date(Date.now() + idle * 1000));
      const length = await conn.read(buffer);
      if (length === null) break;
      total += await conn.write(buffer.subarray(0, length));
    }
    console.log(`${hostname}:${port} ended after ${total} bytes`);
  } catch (error) {
    // The failure of one client must not stop the server.
    console.log(`${hostname}:${port} failed after ${total} bytes: ${(error as Error).message}`);
  }
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["host", "port", "idle"],
    boolean: ["help"],
    default: { host: "127.0.0.1", port: "7007", idle: "60" },
    unknown: unknownArgument,
  });
  if (args.help) return console.log(HELP);
  const idle = number("idle", args.idle, 0.1, 3600);
  using listener = listen({ hostname: args.host, port: wholeNumber("port", args.port, 0, 65535) });

  using _stopping = onStop(() => listener.close()); // Ends the loop below.
  console.log(`Listening on ${listener.addr.hostname}:${listener.addr.port}; Ctrl-C stops`);

  const running = new Set<Promise<void>>();
  for await (const conn of listener) {
    const echoing = echo(conn, idle).finally(() => running.delete(echoing));
    running.add(echoing);
  }
  const waiting = running.size === 0 ? "" : "; waiting for them, Ctrl-C ends them";
  console.log(`Stopped listening; open connections: ${running.size}${waiting}`);
  await Promise.all(running);
}

try {
  await main();
} catch (error) {
  fail("tcp_echo_server", error, { EADDRINUSE: "choose another port with --port" });
}
