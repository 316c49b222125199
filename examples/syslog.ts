/**
 * Writes one message to the system log, as logger(1) does: sends a datagram to the socket of the log daemon.
 *
 *     deno run --allow-ffi --allow-net=unix:/dev/log --allow-read=/dev/log --allow-write=/dev/log examples/syslog.ts hello
 *     deno run --allow-ffi --allow-net=unix:/tmp/berkeley-log.sock --allow-read=/tmp/berkeley-log.sock --allow-write=/tmp/berkeley-log.sock examples/syslog.ts --path /tmp/berkeley-log.sock hello
 *
 * The second command line is for machines without a log daemon: `socat UNIX-RECV:/tmp/berkeley-log.sock -` receives there.
 *
 * @module
 */
import { listenDatagram } from "../mod.ts";
import { atMost, fail, parseArgs } from "./arguments.ts";

const FACILITIES = (
  "kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp audit alert clock " +
  "local0 local1 local2 local3 local4 local5 local6 local7"
).split(" ");
const SEVERITIES = "emerg alert crit err warning notice info debug".split(" ");
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

const HELP = `Writes one message to the system log.

  syslog.ts [OPTIONS] MESSAGE

  --path PATH      socket of the log daemon (/dev/log); needs --allow-read, --allow-write and --allow-net=unix: for it
  --facility NAME  facility: ${FACILITIES.slice(0, 5).join(", ")}, … local7 (user)
  --severity NAME  severity: ${SEVERITIES.join(", ")} (notice)
  --tag NAME       name of the program (berkeley)
  --rfc NUMBER     message format: 3164, as the C library writes it, or 5424 (3164)
  --help           show this text`;

/** How long to wait while the log daemon does not read, in milliseconds. */
const TIMEOUT = 5000;

type Format = (priority: number, tag: string, message: string, time: Date) => string;

/** RFC 3164 as syslog(3) writes it locally: in local time and without a host name. */
const rfc3164: Format = (priority, tag, message, time) => {
  const two = (number: number) => String(number).padStart(2, "0");
  const date = `${MONTHS[time.getMonth()]} ${String(time.getDate()).padStart(2)}`;
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(":");
  return `<${priority}>${date} ${clock} ${tag}[${Deno.pid}]: ${message}`;
};

/** RFC 5424, with "-" for the host name, the message identifier and structured data. */
const rfc5424: Format = (priority, tag, message, time) => {
  return `<${priority}>1 ${time.toISOString()} - ${tag} ${Deno.pid} - - ${message}`;
};

/** Sends a message to the log daemon, waiting while its queue is full. */
async function log(path: string, text: string): Promise<void> {
  using socket = listenDatagram({ transport: "unixgram" }); // Not bound: there is no answer.
  socket.setWriteDeadline(new Date(Date.now() + TIMEOUT));
  await socket.send(new TextEncoder().encode(text), { transport: "unixpacket", path });
}

function indexOf(option: string, name: string, names: readonly string[]): number {
  const index = names.indexOf(name);
  if (index !== -1) return index;
  throw new RangeError(`--${option} ${name}: expected one of ${names.join(", ")}`);
}

function formatOf(rfc: string): Format {
  if (rfc === "3164") return rfc3164;
  if (rfc === "5424") return rfc5424;
  throw new RangeError(`--rfc ${rfc}: expected 3164 or 5424`);
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["path", "facility", "severity", "tag", "rfc", "_"],
    boolean: ["help"],
    default: { path: "/dev/log", facility: "user", severity: "notice", tag: "berkeley", rfc: "3164" },
    unknown: atMost(Infinity),
  });
  if (args.help) return console.log(HELP);
  const facility = indexOf("facility", args.facility, FACILITIES);
  const severity = indexOf("severity", args.severity, SEVERITIES);
  const format = formatOf(args.rfc);
  if (!/^[!-~]{1,48}$/.test(args.tag)) {
    throw new TypeError(`--tag ${args.tag}: expected 1 to 48 printable ASCII characters without spaces`);
  }
  if (args._.length === 0) throw new TypeError("no message given; see --help");
  // A line break would start another entry.
  const message = args._.join(" ").replaceAll(/\p{Cc}+/gu, " ");
  await log(args.path, format(facility * 8 + severity, args.tag, message, new Date()));
}

try {
  await main();
} catch (error) {
  const advice = "no log daemon is running; see --path";
  fail("syslog", error, { ENOENT: advice, ECONNREFUSED: advice });
}
