/**
 * Tells systemd that a service is ready, as sd_notify(3) does: a datagram to the socket that NOTIFY_SOCKET names.
 *
 *     deno run --allow-ffi --allow-env=NOTIFY_SOCKET --allow-net=unix:/run/systemd/notify --allow-read=/run/systemd/notify --allow-write=/run/systemd/notify examples/notify.ts
 *     deno run --allow-ffi --allow-env=NOTIFY_SOCKET --allow-net examples/notify.ts
 *
 * The first is what a service of Type=notify needs. The second is for an abstract name ("@…"), which no narrower grant can
 * spell. To see what is sent: `socat ABSTRACT-RECV:berkeley -` and NOTIFY_SOCKET=@berkeley.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { listenDatagram, resolveAddress } from "../mod.ts";

const HELP = `Tells systemd how this service is, through the socket that NOTIFY_SOCKET names.

  notify.ts [ASSIGNMENT…]  what to tell (READY=1); also STATUS=…, RELOADING=1, STOPPING=1, WATCHDOG=1, MAINPID=…

  --help                   this text

A path needs --allow-read, --allow-write and --allow-net=unix: for it, an abstract name ("@…") --allow-net.`;

/** How long a supervisor that does not read may take, in milliseconds. */
const PATIENCE = 5000;

/** Sends assignments, a line each. The system tells the supervisor which process they are from. */
async function notify(name: string, assignments: readonly string[]): Promise<void> {
  const addr = await resolveAddress("unixgram", name); // "@name" is an abstract one.
  using socket = listenDatagram({ transport: "unixgram" });
  socket.setWriteDeadline(new Date(Date.now() + PATIENCE));
  await socket.send(new TextEncoder().encode(assignments.join("\n")), addr);
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["_"],
    boolean: ["help"],
    unknown: (arg) => {
      if (arg.startsWith("-")) throw new TypeError(`${arg} means nothing here: see --help`);
    },
  });
  if (args.help) return console.log(HELP);
  const assignments = args._.length === 0 ? ["READY=1"] : args._.map(String);
  for (const assignment of assignments) {
    if (!/^[A-Z0-9_]+=[^\n]*$/.test(assignment)) throw new TypeError(`${assignment}: expected NAME=value on one line`);
  }
  const name = Deno.env.get("NOTIFY_SOCKET") ?? "";
  if (name === "") throw new Error("NOTIFY_SOCKET is not set: no supervisor wants to know");
  if (!/^[/@]/.test(name)) throw new TypeError(`NOTIFY_SOCKET ${name}: expected a path or an abstract name ("@…")`);
  await notify(name, assignments);
  console.log(`Told ${name}: ${assignments.join(" ")}`);
}

try {
  await main();
} catch (error) {
  console.error(`notify: ${error instanceof Error ? error.message : error}`);
  Deno.exit(1);
}
