/**
 * Serves one file over HTTP. Its bytes go from the disk to the network without passing through JavaScript: sendfile(2). On a
 * terminal it draws a progress bar for the transfer that is under way.
 *
 *     deno run --allow-ffi --allow-net=127.0.0.1 --allow-read=README.md examples/serve_file.ts README.md
 *
 * Then `curl -O http://127.0.0.1:8080/README.md`.
 *
 * @module
 */
import { listen, type TcpConn } from "../mod.ts";
import { atMost, fail, messageOf, parseArgs, wholeNumber } from "./arguments.ts";
import { onStop } from "./signals.ts";

const HELP = `Serves one file over HTTP.

  serve_file.ts FILE  file to serve; needs --allow-read for it

  --port PORT         port on 127.0.0.1, 0 to 65535, 0 for a free one (8080)
  --once              end after one transfer
  --help              show this text`;

const HOSTNAME = "127.0.0.1";

/** Longest request that is read, in bytes, and how long a client may take for it, in milliseconds. */
const LONGEST_REQUEST = 8192;
const REQUEST_TIMEOUT = 10_000;

/** Milliseconds between two drawings of the progress bar, and its width. */
const INTERVAL = 100;
const WIDTH = 30;

/** Draws how much of a transfer is done, on a terminal only. */
class Progress implements Disposable {
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  readonly #started = performance.now();

  constructor(conn: TcpConn, total: number) {
    if (Deno.stderr.isTerminal()) this.#timer = setInterval(() => this.#draw(conn.bytesWritten, total), INTERVAL);
  }

  #draw(done: number, total: number): void {
    const share = total === 0 ? 1 : Math.min(done / total, 1);
    const bar = "#".repeat(Math.round(share * WIDTH)).padEnd(WIDTH, "-");
    const rate = done / (performance.now() - this.#started) / 1000;
    const line = `\r[${bar}] ${(share * 100).toFixed(0).padStart(3)} %  ${rate.toFixed(1)} MB/s`;
    Deno.stderr.writeSync(new TextEncoder().encode(line));
  }

  [Symbol.dispose](): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    Deno.stderr.writeSync(new TextEncoder().encode("\r\x1b[K"));
  }
}

/** Reads a request to its blank line. */
async function readRequest(conn: TcpConn): Promise<string> {
  const buffer = new Uint8Array(LONGEST_REQUEST);
  conn.setReadDeadline(REQUEST_TIMEOUT);
  for (let length = 0; length < buffer.length;) {
    const count = await conn.read(buffer.subarray(length));
    if (count === null) break;
    const text = new TextDecoder().decode(buffer.subarray(0, length += count));
    if (text.includes("\r\n\r\n")) return text.slice(0, text.indexOf("\r\n"));
  }
  throw new Error("the request has no end");
}

/** Answers one request with the file, or with its headers alone. Resolves to the number of bytes of it that were sent. */
async function answer(conn: TcpConn, file: string): Promise<number> {
  const [method] = (await readRequest(conn)).split(" ");
  const { size } = await Deno.stat(file);
  const headers = [
    "HTTP/1.1 200 OK",
    "Content-Type: application/octet-stream",
    `Content-Length: ${size}`,
    "Connection: close",
  ];
  // The file may grow meanwhile: no more than was announced is sent.
  using _progress = new Progress(conn, size);
  await conn.write(new TextEncoder().encode(`${headers.join("\r\n")}\r\n\r\n`));
  return method === "HEAD" ? 0 : await conn.sendFile(file, { length: size });
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["port"],
    boolean: ["once", "help"],
    default: { port: "8080" },
    unknown: atMost(1),
  });
  if (args.help) return console.log(HELP);
  const [file] = args._;
  if (file === undefined) throw new TypeError("expected a file; see --help");
  const port = wholeNumber("port", args.port, 0, 65_535);
  const { isFile } = await Deno.stat(file);
  if (!isFile) throw new TypeError(`${file} is not a regular file`);

  using listener = listen({ hostname: HOSTNAME, port });
  using _stopping = onStop(() => listener.close());
  console.log(`Serving ${file} at http://${HOSTNAME}:${listener.addr.port}/; Ctrl-C stops`);
  for await (const conn of listener) {
    const served = serve(conn, file);
    if (!args.once) continue;
    await served;
    break;
  }
}

/** Serves one connection and prints how it went. */
async function serve(conn: TcpConn, file: string): Promise<void> {
  using _closing = conn;
  const { hostname, port } = conn.remoteAddr;
  try {
    console.log(`${hostname}:${port}: ${await answer(conn, file)} bytes`);
  } catch (error) {
    console.error(`${hostname}:${port}: ${messageOf(error)}`);
  }
}

try {
  await main();
} catch (error) {
  fail("serve_file", error, { EADDRINUSE: "choose another port with --port" });
}
