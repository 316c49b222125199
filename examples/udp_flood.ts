/**
 * Floods a UDP port with numbered datagrams and shows live how many are received: sent one by one, in batches, or as
 * segments that the kernel splits and coalesces.
 *
 *     deno run --allow-ffi --allow-net=127.0.0.1 --allow-run=deno examples/udp_flood.ts --mode segments
 *
 * The program starts the receiver as a child process. To run both in two terminals, start the receiver first:
 *
 *     deno run --allow-ffi --allow-net=127.0.0.1 examples/udp_flood.ts --receive
 *     deno run --allow-ffi --allow-net=127.0.0.1 examples/udp_flood.ts --send
 *
 * @module
 */
import { DatagramBatch, listenDatagram } from "../mod.ts";
import { fail, number, parseArgs, unknownArgument, wholeNumber } from "./arguments.ts";

const HELP = `Floods a UDP port with numbered datagrams and shows how many are received.

  --send               only send, to the host and port
  --receive            only receive one flood, on the host and port
  --mode MODE          single, many (64 in a call) or segments (64 in a call, split by the kernel) (many)
  --size BYTES         length of a datagram in bytes, 12 to 65507 (64)
  --seconds SECONDS    how long to send, 0.1 to 60 (3)
  --rate RATE          maximum number of datagrams per second; 0 is no limit (0)
  --host ADDRESS       address to send to or to receive on (127.0.0.1); needs --allow-net for it
  --port PORT          port to send to or to receive on (7008; a free one when both run)
  --interface ADDRESS  address to send from (127.0.0.1 or ::1); needs --allow-net for it
  --help               show this text

Use it only on loopback or on a network of your own.`;

/** Bytes of the header of each datagram: an identifier of the flood, the datagram's number, and in the last datagram the
 * total, each of 32 bits. */
const HEADER = 12;
const BURST = 64;
/** What losses on loopback mean. */
const LIMIT = "The receiver is the limit: its buffer was full, and the kernel dropped the rest. --rate sends less.";
const LONGEST = 60;

/** In milliseconds: the time between two lines of progress, and the timeouts for the first datagram and for the next. */
const TICK = 250;
const TIMEOUT = 60_000;
const SILENCE = 1000;

const MODES = ["single", "many", "segments"] as const;
type Mode = typeof MODES[number];

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Datagrams and bytes per second between two calls. */
class Rate {
  #since = performance.now();
  #datagrams = 0;

  per(datagrams: number, size: number): string {
    const seconds = (performance.now() - this.#since) / 1000;
    const rate = (datagrams - this.#datagrams) / seconds;
    this.#since += seconds * 1000;
    this.#datagrams = datagrams;
    return `${whole.format(rate)}/s ${(rate * size / 1e6).toFixed(1)} MB/s`;
  }
}

/** Counts the datagrams of a flood. Gaps in their numbers are losses. */
class Tally {
  flood: number | undefined;
  received = 0;
  /** One more than the highest number. */
  sent = 0;
  late = 0;
  size = 0;
  ended = false;

  take(data: Uint8Array): void {
    if (data.length < HEADER) return;
    const header = new DataView(data.buffer, data.byteOffset, HEADER);
    this.flood ??= header.getUint32(0);
    if (header.getUint32(0) !== this.flood) return;
    const total = header.getUint32(8);
    if (total > 0) {
      this.sent = total;
      this.ended = true;
      return;
    }
    const number = header.getUint32(4);
    if (number >= this.sent) this.sent = number + 1;
    else this.late++;
    this.received++;
    this.size = data.length;
  }

  /** Of the datagrams that are known to have been sent, the part that did not arrive. */
  get lostPart(): number {
    return Math.max(0, this.sent - this.received) / Math.max(1, this.sent);
  }

  get losses(): string {
    const lost = Math.max(0, this.sent - this.received);
    const late = this.late === 0 ? "" : `, ${whole.format(this.late)} late`;
    return `lost ${whole.format(lost)} (${(100 * this.lostPart).toFixed(2)} %)${late}`;
  }
}

/** Receives one flood from its first datagram to its last. */
async function receive(hostname: string, port: number): Promise<void> {
  // A large buffer for the time when the process is busy; the system may set a lower limit.
  using socket = listenDatagram({ transport: "udp", hostname, port, receiveOffload: true, receiveBufferSize: 4 << 20 });
  console.log(`Receiving on ${socket.addr.hostname} port ${socket.addr.port}`);
  const batch = new DatagramBatch();
  const tally = new Tally();
  const progress = new Progress();
  let [first, last, rate] = [0, 0, new Rate()];
  let timeout = TIMEOUT;
  try {
    while (!tally.ended && last - first < LONGEST * 1000) {
      socket.setReadDeadline(new Date(Date.now() + timeout));
      await socket.receiveMany(batch);
      for (let i = 0; i < batch.length; i++) tally.take(batch.data(i));
      if (!tally.ended) last = performance.now();
      if (first === 0) [first, timeout, rate] = [last, SILENCE, new Rate()];
      if (progress.due) progress.show(`received ${rate.per(tally.received, tally.size)}  ${tally.losses}`);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.TimedOut)) throw error;
    if (tally.received === 0) throw new Deno.errors.TimedOut(`no datagram received for ${TIMEOUT / 1000} s`);
  }
  progress.end(`Received ${summary(tally.received, tally.size, last - first)}; ${tally.losses}`);
  if (tally.lostPart > 0.01) console.log(LIMIT);
}

/** Sends one flood. `report` is called with lines of progress. */
async function send(to: Deno.NetAddr, from: string, options: Options, report: (line: string) => void): Promise<string> {
  const { mode, size, seconds, rate } = options;
  using socket = listenDatagram({ transport: "udp", hostname: from, sendBufferSize: 4 << 20 });
  const count = mode === "single" ? 1 : BURST;
  // The memory is allocated once; only the numbers change from burst to burst.
  const burst = new Uint8Array(count * size);
  const view = new DataView(burst.buffer);
  const datagrams = Array.from({ length: count }, (_, i) => {
    return { data: burst.subarray(i * size, (i + 1) * size), addr: to };
  });
  const [flood] = crypto.getRandomValues(new Uint32Array(1));
  for (let i = 0; i < count; i++) view.setUint32(i * size, flood!);

  const ticks = new Ticks();
  const speed = new Rate();
  const started = performance.now();
  let [sent, elapsed] = [0, 0];
  while ((elapsed = performance.now() - started) < seconds * 1000) {
    if (ticks.due) {
      report(`${(elapsed / 1000).toFixed(1)} of ${seconds} s  sent ${speed.per(sent, size)}`);
      await sleep(0); // A turn of the event loop for other tasks.
    }
    if (rate > 0 && sent > elapsed / 1000 * rate) {
      await sleep(1);
      continue;
    }
    for (let i = 0; i < count; i++) view.setUint32(i * size + 4, sent + i);
    if (mode === "single") await socket.send(burst, to);
    else if (mode === "many") await socket.sendMany(datagrams);
    else await socket.sendSegments(burst, size, to);
    sent += count;
  }
  // The final datagram may be lost like any other, so send it several times.
  view.setUint32(8, sent);
  for (let time = 0; time < 20; time++) {
    await socket.send(datagrams[0]!.data, to);
    await sleep(10);
  }
  return `Sent ${summary(sent, size, elapsed)}`;
}

/** Sends here and receives in a child process, and shows both in one line. */
async function sendAndReceive(host: string, port: number, from: string, options: Options): Promise<void> {
  const grant = host.includes(":") ? `[${host}]` : host;
  const flags = ["--no-prompt", "--allow-ffi", `--allow-net=${grant}`];
  await using receiver = new Deno.Command("deno", {
    args: ["run", ...flags, import.meta.url, "--receive", "--host", host, "--port", String(port)],
    stdout: "piped",
  }).spawn();
  const lines = linesOf(receiver.stdout);
  const { value: ready } = await lines.next();
  if (ready === undefined) Deno.exit((await receiver.status).code); // It has printed its error.
  const to: Deno.NetAddr = { transport: "udp", hostname: host, port: Number(ready.split(" ").at(-1)) };

  let received = "";
  const notes: string[] = [];
  const reading = (async () => {
    for await (const line of lines) {
      if (/^received/i.test(line)) received = line;
      else notes.push(line);
    }
  })();
  const progress = new Progress();
  console.log(`Flooding ${host} port ${to.port} with datagrams of ${options.size} bytes, mode ${options.mode}`);
  const sent = await send(to, from, options, (line) => progress.show(`${line}  ${received}`));
  await reading;
  progress.end(sent);
  for (const line of [received, ...notes]) console.log(line);
  Deno.exitCode = (await receiver.status).code;
}

/** `due` is true once in every interval of TICK milliseconds. */
class Ticks {
  #next = performance.now() + TICK;

  get due(): boolean {
    const now = performance.now();
    if (now < this.#next) return false;
    this.#next = now + TICK;
    return true;
  }
}

/** Shows progress: on a terminal in one line that is overwritten, elsewhere line by line. */
class Progress extends Ticks {
  readonly #terminal = Deno.stdout.isTerminal();

  show(line: string): void {
    if (this.#terminal) Deno.stdout.writeSync(new TextEncoder().encode(`\r\x1b[K${line}`));
    else console.log(line);
  }

  end(line: string): void {
    this.show(this.#terminal ? `${line}\n` : line);
  }
}

function summary(datagrams: number, size: number, milliseconds: number): string {
  const rate = datagrams / Math.max(milliseconds, 1) * 1000;
  return `${whole.format(datagrams)} datagrams of ${size} bytes in ${(milliseconds / 1000).toFixed(2)} s: ` +
    `${whole.format(rate)}/s, ${(rate * size / 1e6).toFixed(1)} MB/s`;
}

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string, undefined> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

interface Options {
  mode: Mode;
  size: number;
  seconds: number;
  /** Datagrams per second; 0 is no limit. */
  rate: number;
}

function modeOf(text: string): Mode {
  const mode = MODES.find((mode) => mode === text);
  if (mode === undefined) throw new TypeError(`--mode ${text}: expected ${MODES.join(", ")}`);
  return mode;
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    boolean: ["send", "receive", "help"],
    string: ["mode", "size", "seconds", "rate", "host", "port", "interface"],
    default: { mode: "many", size: "64", seconds: "3", rate: "0", host: "127.0.0.1" },
    unknown: unknownArgument,
  });
  if (args.help) return console.log(HELP);
  const options: Options = {
    mode: modeOf(args.mode),
    size: wholeNumber("size", args.size, HEADER, 65_507),
    seconds: number("seconds", args.seconds, 0.1, LONGEST),
    rate: number("rate", args.rate, 0, 1e9),
  };
  const hostname = args.host;
  const both = args.send === args.receive;
  const port = wholeNumber("port", args.port ?? (both ? "0" : "7008"), args.send && !both ? 1 : 0, 65535);
  const from = args.interface ?? (hostname.includes(":") ? "::1" : "127.0.0.1");
  if (both) return await sendAndReceive(hostname, port, from, options);
  if (args.receive) return await receive(hostname, port);
  const progress = new Progress();
  progress.end(await send({ transport: "udp", hostname, port }, from, options, (line) => progress.show(line)));
}

try {
  await main();
} catch (error) {
  fail("udp_flood", error, { EADDRINUSE: "choose another port with --port" });
}
