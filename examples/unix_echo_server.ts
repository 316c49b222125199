/**
 * Sends back to every client what it sends, over a Unix socket. Ctrl-C or SIGTERM stops it in order: nobody new is let in,
 * the path goes, and who is there may finish.
 *
 *     deno run --allow-ffi --allow-net=unix:/tmp/berkeley-echo.sock --allow-read=/tmp/berkeley-echo.sock --allow-write=/tmp/berkeley-echo.sock examples/unix_echo_server.ts
 *
 * Talk to it with unix_echo_client.ts, or with `nc -U /tmp/berkeley-echo.sock`. The path of a server that was killed is
 * taken; that of one that lives is not.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { listen, type UnixConn } from "../mod.ts";
import { number } from "./arguments.ts";

const HELP = `Sends back to every client what it sends, over a Unix socket.

  --path PATH     where to listen (/tmp/berkeley-echo.sock); needs --allow-read, --allow-write and --allow-net=unix: for it
  --mode BITS     who may connect, in octal: 600 is this user, 666 everybody (600)
  --idle SECONDS  how long a client may be silent, 0.1 to 3600 (60)
  --help          this text

Ctrl-C lets in nobody new and waits for those who are there; a second Ctrl-C does not wait.`;

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Echoes until the client has sent its end, was silent for too long, or is gone. */
async function echo(conn: UnixConn, idle: number): Promise<void> {
  using _closing = conn;
  const { pid, uid } = conn.peerCredentials(); // The system vouches for them.
  const client = `process ${pid} of user ${uid}`;
  const buffer = new Uint8Array(16_384);
  let total = 0;
  try {
    for (;;) {
      // A deadline is a moment, not a duration: every round moves it.
      conn.setDeadline(new Date(Date.now() + idle * 1000));
      const length = await conn.read(buffer);
      if (length === null) break;
      total += await conn.write(buffer.subarray(0, length));
    }
    console.log(`${client} ended after ${total} bytes`);
  } catch (error) {
    // One client's trouble is not the server's.
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
    unknown: (arg) => {
      throw new TypeError(`${arg} means nothing here: see --help`);
    },
  });
  if (args.help) return console.log(HELP);
  const idle = number("idle", args.idle, 0.1, 3600);
  const mode = permissionBits(args.mode);
  // The mode is in force before anyone can connect, and the file goes when the listener is closed.
  using listener = listen({ transport: "unix", path: args.path, mode, replaceStale: true });

  function stop(): void {
    for (const signal of SIGNALS) Deno.removeSignalListener(signal, stop); // The next one does what it does without us.
    listener.close(); // Ends the loop below.
  }
  for (const signal of SIGNALS) Deno.addSignalListener(signal, stop);
  console.log(`Listening on ${listener.addr.path}; Ctrl-C stops`);

  const running = new Set<Promise<void>>();
  for await (const conn of listener) {
    const echoing = echo(conn, idle).finally(() => running.delete(echoing));
    running.add(echoing);
  }
  console.log(`No longer listening; connections to finish: ${running.size}`);
  await Promise.all(running);
}

try {
  await main();
} catch (error) {
  console.error(`unix_echo_server: ${error instanceof Error ? error.message : error}`);
  Deno.exit(1);
}
