/**
 * What nc(1) does, and a little more: connects standard input and output with a socket, TCP, UDP or Unix of any kind.
 *
 *     deno run --allow-ffi --allow-net=127.0.0.1 examples/nc.ts -l 8080
 *     deno run --allow-ffi --allow-net=127.0.0.1 examples/nc.ts -N 127.0.0.1 8080
 *     deno run --allow-ffi --allow-net --allow-read --allow-write examples/nc.ts -lU /tmp/berkeley-nc.sock
 *     deno run --allow-ffi --allow-net=127.0.0.1 examples/nc.ts -zv 127.0.0.1 1-1024
 *     deno run --allow-ffi --allow-net examples/nc.ts -luk --join 239.255.42.99 --interface lo 4242
 *
 * @module
 */
import { atMost, fail, number, parseArgs, wholeArgument, wholeNumber } from "./arguments.ts";
import type { Channel } from "./nc/channel.ts";
import { dial, open, type Wanted } from "./nc/open.ts";
import { showProgress, size } from "./nc/progress.ts";
import { type Counters, Input, relay } from "./nc/relay.ts";
import { parsePorts, scan } from "./nc/scan.ts";
import { note, Steps } from "./progress.ts";
import { onStop } from "./signals.ts";

const HELP = `Connects standard input and output with a socket.

  nc.ts [options] HOST PORT         connect
  nc.ts -l [options] [HOST] PORT    listen; HOST is 127.0.0.1 if left out
  nc.ts -U [-l] [options] PATH      Unix socket; @NAME is an abstract name
  nc.ts -z [options] HOST PORTS     print which ports are open: 80, or 20-25

  -l, --listen         wait for a connection, or for datagrams
  -k, --keep           with -l: go on with the next connection
  -u, --udp            datagrams: UDP, or with -U SOCK_DGRAM
  -U, --unix           Unix socket
      --seqpacket      with -U: SOCK_SEQPACKET; what is read at once is one message
  -z, --scan           connect and send nothing
  -N, --shutdown       shut down the write side when the input ends; with -u, exit then
  -w, --wait SECONDS   give up a dial, or end a connection without traffic, after this time, 0.1 to 86400
  -s, --source ADDRESS address to send from
  -p, --port PORT      port to send from
      --interface NAME interface to use: for TCP and received datagrams, and for multicast
      --join GROUP     with -lu: multicast group to receive
      --ttl TTL        TTL of datagrams, 1 to 255
  -v, --verbose        print addresses, and how much was moved, on standard error
      --progress       on a terminal: show how much is moved, and how fast
      --help           show this text`;

const BOOLEANS = [
  "listen",
  "keep",
  "udp",
  "unix",
  "seqpacket",
  "scan",
  "shutdown",
  "verbose",
  "progress",
  "help",
] as const;
const ALIASES = {
  listen: "l",
  keep: "k",
  udp: "u",
  unix: "U",
  scan: "z",
  shutdown: "N",
  wait: "w",
  source: "s",
  port: "p",
  verbose: "v",
} as const;

function parse() {
  return parseArgs(Deno.args, {
    boolean: BOOLEANS,
    string: ["wait", "source", "port", "interface", "join", "ttl", "_"],
    alias: ALIASES,
    unknown: atMost(2),
  });
}

type Args = ReturnType<typeof parse>;

/** The other arguments: a path, a port, or a host and a port. */
function target(args: Args): Pick<Wanted, "hostname" | "path"> & { ports: string } {
  const given = args._;
  const expected = args.unix ? "PATH" : args.listen ? "[HOST] PORT" : "HOST PORT";
  const fits = args.unix ? given.length === 1 : given.length === 2 || (args.listen && given.length === 1);
  if (!fits) throw new TypeError(`expected ${expected} and not ${given.length} arguments; see --help`);
  if (args.unix) return { hostname: "", ports: "", path: given[0]!.replace(/^@/, "\0") };
  return { hostname: given.length === 2 ? given[0]! : "127.0.0.1", ports: given.at(-1)!, path: "" };
}

function kindOf({ unix, udp, seqpacket }: Args): Wanted["kind"] {
  if (seqpacket && !unix) throw new TypeError("--seqpacket is for Unix sockets: pass -U with it");
  if (unix) return seqpacket ? "seqpacket" : udp ? "unixgram" : "unix";
  return udp ? "udp" : "tcp";
}

function wantedOf(args: Args, signal: AbortSignal): Wanted {
  const { hostname, ports, path } = target(args);
  return {
    kind: kindOf(args),
    hostname,
    path,
    port: args.unix || args.scan ? 0 : wholeArgument("PORT", ports, args.listen ? 0 : 1, 65_535),
    source: {
      ...(args.source === undefined ? {} : { hostname: args.source }),
      ...(args.port === undefined ? {} : { port: wholeNumber("port", args.port, 1, 65_535) }),
    },
    interface: args.interface,
    group: args.join,
    ttl: args.ttl === undefined ? undefined : wholeNumber("ttl", args.ttl, 1, 255),
    timeout: args.wait === undefined ? Infinity : number("wait", args.wait, 0.1, 86_400) * 1000,
    signal,
  };
}

/** Prints which ports are open. Resolves to whether any is. */
async function scanPorts(args: Args, wanted: Wanted, say: (text: string) => void): Promise<boolean> {
  if (args.unix || args.listen) throw new TypeError("-z is for TCP and UDP, without -l");
  let any = false;
  const timeout = wanted.timeout === Infinity ? 5000 : wanted.timeout;
  const by = args.interface === undefined ? {} : { interface: args.interface };
  const options = { udp: args.udp, timeout, signal: wanted.signal, ...by };
  const ports = parsePorts(target(args).ports);
  using steps = new Steps(ports.length, "ports");
  for await (const { port, open, reason } of scan(wanted.hostname, ports, options)) {
    any ||= open;
    steps.done++;
    if (open || args.verbose) steps.clear();
    if (open) console.log(`${wanted.hostname} port ${port} (${args.udp ? "udp" : "tcp"}) is open`);
    else say(`${wanted.hostname} port ${port}: ${reason}`);
  }
  return any;
}

async function main(): Promise<number> {
  const args = parse();
  if (args.help) {
    console.log(HELP);
    return 0;
  }
  const stopping = new AbortController();
  using _stop = onStop(() => stopping.abort());
  const wanted = wantedOf(args, stopping.signal);
  const say = (text: string) => {
    if (args.verbose) console.error(text);
  };
  if (args.scan) return await scanPorts(args, wanted, say) ? 0 : 1;

  const input = new Input();
  const counters: Counters = { sent: 0, received: 0 };
  using _progress = args.progress ? showProgress(counters) : undefined;
  const handle = async (channel: Channel) => {
    using served = channel;
    await relay(served, input, { idle: wanted.timeout, shutdown: args.shutdown, signal: stopping.signal, counters });
    say(`sent ${size(counters.sent)}, received ${size(counters.received)}`);
  };
  if (!args.listen) {
    const channel = await dial(wanted);
    say(`connected to ${channel.peer}`);
    await handle(channel);
    return 0;
  }
  using source = open(wanted);
  if (args.verbose) say(`listening on ${source.at}`);
  else note(`listening on ${source.at}`);
  do {
    const channel = await source.next();
    if (channel.hasEnd) say(`connection from ${channel.peer}`);
    await handle(channel);
  } while (args.keep && !stopping.signal.aborted && (wanted.kind !== "udp" && wanted.kind !== "unixgram"));
  return 0;
}

try {
  // Standard input may still be waited for.
  Deno.exit(await main());
} catch (error) {
  const stopped = error instanceof DOMException && error.name === "AbortError";
  if (stopped) Deno.exit(0);
  fail("nc", error, { EADDRINUSE: "choose another port or path" });
}
