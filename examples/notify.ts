/**
 * Notifies systemd that a service is ready, as sd_notify(3) does: sends a datagram to the socket named by NOTIFY_SOCKET.
 *
 *     deno run --allow-ffi --allow-env=NOTIFY_SOCKET --allow-net=unix:/run/systemd/notify --allow-read=/run/systemd/notify --allow-write=/run/systemd/notify examples/notify.ts
 *     deno run --allow-ffi --allow-env=NOTIFY_SOCKET --allow-net examples/notify.ts
 *
 * The first command line is for a service of Type=notify. The second is for an abstract name ("@…"), for which there is no
 * narrower grant. To see the datagram, run `socat ABSTRACT-RECV:berkeley -` and set NOTIFY_SOCKET=@berkeley.
 *
 * @module
 */
import { listenDatagram, resolveAddress } from "../mod.ts";
import { atMost, fail, parseArgs } from "./arguments.ts";

const HELP = `Notifies systemd of the state of this service through the socket named by NOTIFY_SOCKET.

  notify.ts [ASSIGNMENT…]  what to send (READY=1); also STATUS=…, RELOADING=1, STOPPING=1, WATCHDOG=1, MAINPID=…

  --help                   show this text

A path needs --allow-read, --allow-write and --allow-net=unix: for it, an abstract name ("@…") --allow-net.`;

/** How long to wait while the supervisor does not read, in milliseconds. */
const TIMEOUT = 5000;

/** Sends assignments in one datagram, one on each line. The supervisor gets our process number from the system. */
async function notify(name: string, assignments: readonly string[]): Promise<void> {
  const addr = await resolveAddress("unixgram", name); // "@name" is an abstract name.
  using socket = listenDatagram({ transport: "unixgram" });
  socket.setWriteDeadline(new Date(Date.now() + TIMEOUT));
  await socket.send(new TextEncoder().encode(assignments.join("\n")), addr);
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["_"],
    boolean: ["help"],
    unknown: atMost(Infinity),
  });
  if (args.help) return console.log(HELP);
  const assignments = args._.length === 0 ? ["READY=1"] : args._.map(String);
  for (const assignment of assignments) {
    if (!/^[A-Z0-9_]+=[^\n]*$/.test(assignment)) throw new TypeError(`${assignment}: expected NAME=value on one line`);
  }
  const name = Deno.env.get("NOTIFY_SOCKET") ?? "";
  if (name === "") throw new Error("NOTIFY_SOCKET is not set; systemd sets it for services of Type=notify");
  if (!/^[/@]/.test(name)) throw new TypeError(`NOTIFY_SOCKET ${name}: expected a path or an abstract name ("@…")`);
  await notify(name, assignments);
  console.log(`Sent to ${name}: ${assignments.join(" ")}`);
}

try {
  await main();
} catch (error) {
  fail("notify", error);
}
