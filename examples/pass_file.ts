/**
 * Opens a file and passes its descriptor to another process over a Unix socket. The other process, which may not read any
 * file, reads this one: a descriptor is a permission that can be handed over.
 *
 *     deno run --allow-ffi --allow-net=unix:/tmp/berkeley-file.sock --allow-read=/tmp/berkeley-file.sock,README.md --allow-write=/tmp/berkeley-file.sock --allow-run examples/pass_file.ts README.md
 *
 * `node:fs` gives the number of a file that is opened: Deno's own files do not show theirs.
 *
 * @module
 */
import { closeSync, openSync } from "node:fs";
import { connect, listen } from "../mod.ts";
import { atMost, fail, parseArgs } from "./arguments.ts";
import { onStop } from "./signals.ts";

const HELP = `Passes an open file to another process, which counts its lines.

  pass_file.ts FILE  file to pass; needs --allow-read for it

  --path PATH        Unix socket between the two processes (/tmp/berkeley-file.sock); needs --allow-read, --allow-write and --allow-net=unix: for it
  --take             run as the other process: receive a file and read it; used internally
  --help             show this text`;

/** Timeout of every operation, in milliseconds. */
const TIMEOUT = 10_000;

const later = () => new Date(Date.now() + TIMEOUT);

/** Opens a file, passes it to the other process, and waits until that has read it. */
async function pass(file: string, path: string): Promise<void> {
  using open = new DisposableStack();
  using _stopping = onStop(() => {
    open.dispose(); // Removes the path.
    Deno.exit(1);
  });
  const listener = open.use(listen({ transport: "unix", path, mode: 0o600, replaceStale: true }));
  listener.setReadDeadline(later());
  await using child = startTaker(path);
  const exited = new AbortController();
  child.status.then(() => exited.abort(new Error("The other process ended before it received the file")));
  using taker = await listener.accept({ signal: exited.signal });
  const fd = openSync(file, "r");
  try {
    // The peer gets another descriptor of the same open file.
    await taker.sendMessage({ data: new TextEncoder().encode(file), fds: [fd] });
  } finally {
    closeSync(fd);
  }
  console.log(`Process ${Deno.pid} opened ${file}, passed it to process ${child.pid} and closed its own descriptor`);
  const { code } = await child.status;
  if (code !== 0) throw new Error(`Process ${child.pid} failed with exit status ${code}`);
}

/** Starts this program as the other process, with a grant for the socket's path alone. */
function startTaker(path: string): Deno.ChildProcess {
  const grants = ["--allow-ffi", `--allow-net=unix:${path}`, `--allow-read=${path}`, `--allow-write=${path}`];
  const args = ["run", "--no-prompt", ...grants, import.meta.url, "--take", "--path", path];
  return new Deno.Command(Deno.execPath(), { args, stdin: "null" }).spawn();
}

/** The other process: receives a file and reads it to the end. */
async function take(path: string): Promise<void> {
  using giver = await connect({ transport: "unix", path, deadline: later() });
  giver.setReadDeadline(later());
  const message = await giver.receiveMessage();
  const fd = message?.fds[0];
  if (fd === undefined) throw new Error("No file was passed");
  const name = new TextDecoder().decode(message!.data);
  const { kind } = fd;
  let lines = 0;
  let bytes = 0;
  for await (const chunk of fd.readable) {
    bytes += chunk.length;
    lines += chunk.reduce((count, byte) => count + (byte === 10 ? 1 : 0), 0);
  }
  const { state } = await Deno.permissions.query({ name: "read", path: name });
  console.log(
    `Process ${Deno.pid}, with read permission "${state}", read the ${kind} ${name}: ${lines} lines, ${bytes} bytes`,
  );
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["path"],
    boolean: ["take", "help"],
    default: { path: "/tmp/berkeley-file.sock" },
    unknown: atMost(1),
  });
  if (args.help) return console.log(HELP);
  if (args.take) return await take(args.path);
  const [file] = args._;
  if (file === undefined) throw new TypeError("expected a file; see --help");
  await pass(file, args.path);
}

try {
  await main();
} catch (error) {
  fail("pass_file", error, { EADDRINUSE: "choose another path with --path" });
}
