/**
 * Sends back to every client what it sends. Ctrl-C stops it in order: nobody new is let in, and who is there may finish.
 *
 *     deno run --allow-ffi --allow-net=127.0.0.1 examples/tcp_echo_server.ts
 *
 * Talk to it with tcp_echo_client.ts, or with `nc 127.0.0.1 7007`.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { listen, type TcpConn } from "../mod.ts";
import { number } from "./arguments.ts";

const HELP = `Sends back to every client what it sends.

  --host HOST     address or name to listen on (127.0.0.1); needs --allow-net for it
  --port PORT     port to listen on, 0 for any free one (7007)
  --idle SECONDS  how long a client may be silent, 0.1 to 3600 (60)
  --help          this text

Ctrl-C lets in nobody new and waits for those who are there; a second Ctrl-C does not wait.`;

/** Echoes until the client has sent its end, was silent for too long, or is gone. */
async function echo(conn: TcpConn, idle: number): Promise<void> {
  using _closing = conn;
  const { hostname, port } = conn.remoteAddr;
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
    console.log(`${hostname}:${port} ended after ${total} bytes`);
  } catch (error) {
    // One client's trouble is not the server's.
    console.log(`${hostname}:${port} failed after ${total} bytes: ${(error as Error).message}`);
  }
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["host", "port", "idle"],
    boolean: ["help"],
    default: { host: "127.0.0.1", port: "7007", idle: "60" },
    unknown: (arg) => {
      throw new TypeError(`${arg} means nothing here: see --help`);
    },
  });
  if (args.help) return console.log(HELP);
  const idle = number("idle", args.idle, 0.1, 3600);
  using listener = listen({ hostname: args.host, port: number("port", args.port, 0, 65535) });

  function stop(): void {
    Deno.removeSignalListener("SIGINT", stop); // The next one does what it does without us.
    listener.close(); // Ends the loop below.
  }
  Deno.addSignalListener("SIGINT", stop);
  console.log(`Listening on ${listener.addr.hostname}:${listener.addr.port}; Ctrl-C stops`);

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
  console.error(`tcp_echo_server: ${error instanceof Error ? error.message : error}`);
  Deno.exit(1);
}
