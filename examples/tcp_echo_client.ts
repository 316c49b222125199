/**
 * A client for tcp_echo_server.ts. It also shows the two ways to end a waiting read: a deadline, as in Go's net.Conn, and an
 * AbortSignal. The connection stays usable after both.
 *
 *     deno run --allow-ffi --allow-net=127.0.0.1 examples/tcp_echo_client.ts
 *
 * @module
 */
import { connect, isSocketError, type TcpConn } from "../mod.ts";
import { fail, parseArgs, unknownArgument, wholeNumber } from "./arguments.ts";

const HELP = `Sends a text to an echo server and prints the answer. Then one read ends by a deadline and one is aborted.

  --host HOST  address or name of the server (127.0.0.1); needs --allow-net for it
  --port PORT  port of the server, 1 to 65535 (7007)
  --text TEXT  text to send (hello)
  --help       show this text`;

/** Timeouts of the reads that are to end without data, and of all other operations, in milliseconds. */
const SHORT_TIMEOUT = 200;
const TIMEOUT = 5000;

/** Sends a text and reads the same number of bytes: a stream has no message boundaries. */
async function echo(conn: TcpConn, text: string): Promise<string> {
  const sent = new TextEncoder().encode(text);
  const back = new Uint8Array(sent.length);
  conn.setDeadline(new Date(Date.now() + TIMEOUT));
  await conn.write(sent);
  for (let length = 0; length < back.length;) {
    const read = await conn.read(back.subarray(length));
    if (read === null) throw new Error("the server closed the connection");
    length += read;
  }
  conn.setDeadline(null);
  return new TextDecoder().decode(back);
}

/** A deadline is a property of the connection and ends every waiting read. */
async function readUntilDeadline(conn: TcpConn): Promise<void> {
  conn.setReadDeadline(new Date(Date.now() + SHORT_TIMEOUT));
  try {
    await conn.read(new Uint8Array(1));
  } catch (error) {
    if (!isSocketError(error) || !error.timeout) throw error;
    console.log(`Deadline: ${error.name}: ${error.message} (code ${error.code}, timeout ${error.timeout})`);
  }
  conn.setReadDeadline(null);
}

/** A signal is an option of one read, which rejects with the signal's reason. */
async function abort(conn: TcpConn): Promise<void> {
  const controller = new AbortController();
  setTimeout(() => controller.abort(new Error("the user pressed Cancel")), SHORT_TIMEOUT);
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
    unknown: unknownArgument,
  });
  if (args.help) return console.log(HELP);
  const port = wholeNumber("port", args.port, 1, 65535);
  using conn = await connect({ hostname: args.host, port, deadline: new Date(Date.now() + TIMEOUT) });
  const { localAddr, remoteAddr } = conn;
  console.log(`Connected ${localAddr.hostname}:${localAddr.port} to ${remoteAddr.hostname}:${remoteAddr.port}`);

  console.log(`Echo: ${JSON.stringify(await echo(conn, args.text))}`);
  await readUntilDeadline(conn);
  await abort(conn);
  console.log(`Echo: ${JSON.stringify(await echo(conn, "still connected"))}`);

  await conn.closeWrite(); // The server reads the end of the stream and closes the connection.
  conn.setReadDeadline(new Date(Date.now() + TIMEOUT));
  const rest = await conn.read(new Uint8Array(1));
  console.log(rest === null ? "End: the server closed the connection" : "The server sent more than it received");
}

try {
  await main();
} catch (error) {
  fail("tcp_echo_client", error, { ECONNREFUSED: "start tcp_echo_server.ts first" });
}
