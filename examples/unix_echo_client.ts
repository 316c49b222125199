/**
 * Talks to unix_echo_server.ts: says whom it has reached, sends a text, prints what comes back, and ends in order.
 *
 *     deno run --allow-ffi --allow-net=unix:/tmp/berkeley-echo.sock --allow-read=/tmp/berkeley-echo.sock --allow-write=/tmp/berkeley-echo.sock examples/unix_echo_client.ts
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { connect, type UnixConn } from "../mod.ts";

const HELP = `Sends a text to an echo server at a Unix socket and prints what comes back.

  --path PATH  where the server listens (/tmp/berkeley-echo.sock); needs --allow-read, --allow-write and --allow-net=unix: for it
  --text TEXT  what to send (hello)
  --help       this text`;

/** How long to wait for each step, in milliseconds. */
const PATIENCE = 5000;

const later = () => new Date(Date.now() + PATIENCE);

/** Sends a text and reads until as many bytes have come back: a stream does not keep messages apart. */
async function echo(conn: UnixConn, text: string): Promise<string> {
  const sent = new TextEncoder().encode(text);
  const back = new Uint8Array(sent.length);
  conn.setDeadline(later());
  await conn.write(sent);
  for (let length = 0; length < back.length;) {
    const read = await conn.read(back.subarray(length));
    if (read === null) throw new Error("The server has hung up");
    length += read;
  }
  return new TextDecoder().decode(back);
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["path", "text"],
    boolean: ["help"],
    default: { path: "/tmp/berkeley-echo.sock", text: "hello" },
    unknown: (arg) => {
      throw new TypeError(`${arg} means nothing here: see --help`);
    },
  });
  if (args.help) return console.log(HELP);
  using conn = await connect({ transport: "unix", path: args.path, deadline: later() });
  const { pid, uid } = conn.peerCredentials(); // The system vouches for them.
  console.log(`Connected to ${conn.remoteAddr.path}: process ${pid} of user ${uid}`);

  console.log(`Echo: ${JSON.stringify(await echo(conn, args.text))}`);

  await conn.closeWrite(); // The server reads the end, hangs up, and we read the end.
  conn.setReadDeadline(later());
  const rest = await conn.read(new Uint8Array(1));
  console.log(rest === null ? "End: the server has hung up too" : "The server sent more than it was sent");
}

/** What a person does about the two mistakes that everybody makes. */
function hint(error: unknown): string {
  const nobody = error instanceof Deno.errors.NotFound || error instanceof Deno.errors.ConnectionRefused;
  return nobody ? "; start unix_echo_server.ts first" : "";
}

try {
  await main();
} catch (error) {
  console.error(`unix_echo_client: ${error instanceof Error ? error.message : error}${hint(error)}`);
  Deno.exit(1);
}
