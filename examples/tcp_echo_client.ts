/**
 * Talks to tcp_echo_server.ts, and shows the two ways in which a read that finds nothing comes to an end: a deadline,
 * as Go's net.Conn has them, and an AbortSignal. Neither harms the connection.
 *
 *     deno run --allow-ffi --allow-net=127.0.0.1 examples/tcp_echo_client.ts
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { connect, isSocketError, type TcpConn } from "../mod.ts";
import { number } from "./arguments.ts";

const HELP =
  `Sends a text to an echo server and prints what comes back; then a read meets a deadline, and one is aborted.

  --host HOST  address or name of the server (127.0.0.1); needs --allow-net for it
  --port PORT  its port (7007)
  --text TEXT  what to send (hello)
  --help       this text`;

/** How long to wait for what will not come, and for what should, in milliseconds. */
const SOON = 200;
const PATIENCE = 5000;

/** Sends a text and reads until as many bytes have come back: a stream does not keep messages apart. */
async function echo(conn: TcpConn, text: string): Promise<string> {
  const sent = new TextEncoder().encode(text);
  const back = new Uint8Array(sent.length);
  conn.setDeadline(new Date(Date.now() + PATIENCE));
  await conn.write(sent);
  for (let length = 0; length < back.length;) {
    const read = await conn.read(back.subarray(length));
    if (read === null) throw new Error("The server has hung up");
    length += read;
  }
  conn.setDeadline(null);
  return new TextDecoder().decode(back);
}

/** A deadline belongs to the connection and ends every read that it finds waiting. */
async function meetDeadline(conn: TcpConn): Promise<void> {
  conn.setReadDeadline(new Date(Date.now() + SOON));
  try {
    await conn.read(new Uint8Array(1));
  } catch (error) {
    if (!isSocketError(error) || !error.timeout) throw error;
    console.log(`Deadline: ${error.name}: ${error.message} (code ${error.code}, timeout ${error.timeout})`);
  }
  conn.setReadDeadline(null);
}

/** A signal belongs to one read, which rejects with the signal's own reason. */
async function abort(conn: TcpConn): Promise<void> {
  const controller = new AbortController();
  setTimeout(() => controller.abort(new Error("The user has pressed Cancel")), SOON);
  try {
    await conn.read(new Uint8Array(1), { signal: controller.signal });
  } catch (error) {
    if (error !== controller.signal.reason) throw error;
    console.log(`Abort: ${error}`);
  }
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["host", "port", "text"],
    boolean: ["help"],
    default: { host: "127.0.0.1", port: "7007", text: "hello" },
    unknown: (arg) => {
      throw new TypeError(`${arg} means nothing here: see --help`);
    },
  });
  if (args.help) return console.log(HELP);
  const port = number("port", args.port, 1, 65535);
  using conn = await connect({ hostname: args.host, port, deadline: new Date(Date.now() + PATIENCE) });
  const { localAddr, remoteAddr } = conn;
  console.log(`Connected ${localAddr.hostname}:${localAddr.port} to ${remoteAddr.hostname}:${remoteAddr.port}`);

  console.log(`Echo: ${JSON.stringify(await echo(conn, args.text))}`);
  await meetDeadline(conn);
  await abort(conn);
  console.log(`Echo: ${JSON.stringify(await echo(conn, "still connected"))}`);

  await conn.closeWrite(); // The server reads the end, hangs up, and we read the end.
  conn.setReadDeadline(new Date(Date.now() + PATIENCE));
  const rest = await conn.read(new Uint8Array(1));
  console.log(rest === null ? "End: the server has hung up too" : "The server sent more than it was sent");
}

try {
  await main();
} catch (error) {
  const hint = error instanceof Deno.errors.ConnectionRefused ? "; start tcp_echo_server.ts first" : "";
  console.error(`tcp_echo_client: ${error instanceof Error ? error.message : error}${hint}`);
  Deno.exit(1);
}
