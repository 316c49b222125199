/**
 * A client for unix_echo_server.ts: prints the credentials of the server, sends a text, prints the answer, and ends the
 * connection in an orderly way.
 *
 *     deno run --allow-ffi --allow-net=unix:/tmp/berkeley-echo.sock --allow-read=/tmp/berkeley-echo.sock --allow-write=/tmp/berkeley-echo.sock examples/unix_echo_client.ts
 *
 * @module
 */
import { connect, type UnixConn } from "../mod.ts";
import { fail, parseArgs, unknownArgument } from "./arguments.ts";

const HELP = `Sends a text to an echo server on a Unix socket and prints the answer.

  --path PATH  path of the server's socket (/tmp/berkeley-echo.sock); needs --allow-read, --allow-write and --allow-net=unix: for it
  --text TEXT  text to send (hello)
  --help       show this text`;

/** Timeout of each step, in milliseconds. */
const TIMEOUT = 5000;

const later = () => new Date(Date.now() + TIMEOUT);

/** Sends a text and reads the same number of bytes: a stream has no message boundaries. */
async function echo(conn: UnixConn, text: string): Promise<string> {
  const sent = new TextEncoder().encode(text);
  const back = new Uint8Array(sent.length);
  conn.setDeadline(later());
  await conn.write(sent);
  for (let length = 0; length < back.length;) {
    const read = await conn.read(back.subarray(length));
    if (read === null) throw new Error("the server closed the connection");
    length += read;
  }
  return new TextDecoder().decode(back);
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["path", "text"],
    boolean: ["help"],
    default: { path: "/tmp/berkeley-echo.sock", text: "hello" },
    unknown: unknownArgument,
  });
  if (args.help) return console.log(HELP);
  using conn = await connect({ transport: "unix", path: args.path, deadline: later() });
  const { pid, uid } = conn.peerCredentials(); // Verified by the system.
  console.log(`Connected to ${conn.remoteAddr.path}: process ${pid} of user ${uid}`);

  console.log(`Echo: ${JSON.stringify(await echo(conn, args.text))}`);

  await conn.closeWrite(); // The server reads the end of the stream and closes the connection.
  conn.setReadDeadline(later());
  const rest = await conn.read(new Uint8Array(1));
  console.log(rest === null ? "End: the server closed the connection" : "The server sent more than it received");
}

try {
  await main();
} catch (error) {
  const advice = "start unix_echo_server.ts first";
  fail("unix_echo_client", error, { ENOENT: advice, ECONNREFUSED: advice });
}
