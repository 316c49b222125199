/**
 * An echo server on a Unix socket. Ctrl-C or SIGTERM shuts it down gracefully: it accepts no new connections, removes its
 * path, and waits for the open connections to end.
 *
 *     deno run --allow-ffi --allow-net=unix:/tmp/berkeley-echo.sock --allow-read=/tmp/berkeley-echo.sock --allow-write=/tmp/berkeley-echo.sock examples/unix_echo_server.ts
 *
 * Connect with unix_echo_client.ts or `nc -U /tmp/berkeley-echo.sock`. The path of a server that was killed is replaced; that
 * of a running one is not.
 *
 * @module
 */
import { listen, type UnixConn } from "../mod.ts";
import { fail, number, parseArgs, unknownArgument } from "./arguments.ts";
import { onStop } from "./signals.ts";

const HELP = `Echo server on a Unix socket.

  --path PATH     path to listen at (/tmp/berkeley-echo.sock); needs --allow-read, --allow-write and --allow-net=unix: for it
  --mode BITS     permission bits of the path, in octal: 600 for this user, 666 for everybody (600)
  --idle SECONDS  close a connection after this time without data, 0.1 to 3600 (60)
  --help          show this text

Ctrl-C stops accepting connections and waits for the open ones to end; a second Ctrl-C exits at once.`;

/** Echoes until the client ends the stream, is idle for too long, or the connection fails. */
async function echo(conn: UnixConn, idle: number): Promise<void> {
  using _closing = conn;
  const { pid, uid } = conn.peerCredentials(); // Verified by the system.
  const client = `process ${pid} of user ${uid}`;
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
    console.log(`${client} ended after ${total} bytes`);
  } catch (error) {
    // The failure of one client must not stop the server.
    console.log(`${client} failed after ${total} bytes: ${(error as Error).message}`);
  }
}

function permissionBits(text: string): number {
  if (/^[0-7]{3}$/.test(text)) return parseInt(text, 8);
  throw new RangeError(`--mode ${text}: expected three octal digits, such as 600`);
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["path", "mode", "idle"],
    boolean: ["help"],
    default: { path: "/tmp/berkeley-echo.sock", mode: "600", idle: "60" },
    unknown: unknownArgument,
  });
  if (args.help) return console.log(HELP);
  const idle = number("idle", args.idle, 0.1, 3600);
  const mode = permissionBits(args.mode);
  using open = new DisposableStack();
  using _stopping = onStop(() => open.dispose()); // Removes the path, and ends the loop below.
  // The mode is set before listen(2).
  const listener = open.use(listen({ transport: "unix", path: args.path, mode, replaceStale: true }));
  console.log(`Listening on ${listener.addr.path}; Ctrl-C stops`);

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
  fail("unix_echo_server", error);
}
