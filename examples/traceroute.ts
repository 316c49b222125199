/**
 * Prints the routers on the way to a host, without root: UDP with a rising TTL. Where it runs out, a router says so by
 * ICMP, and `receiveError` returns what it said.
 *
 *     deno run --allow-ffi --allow-net=127.0.0.1 examples/traceroute.ts
 *     deno run --allow-ffi --allow-net examples/traceroute.ts --interface 192.0.2.1 198.51.100.1
 *
 * It needs Linux: other systems keep no errors of datagrams for a socket.
 *
 * @module
 */
import { type DatagramError, listenDatagram, resolveAddress, type UdpSocket } from "../mod.ts";
import { atMost, fail, parseArgs, wholeNumber } from "./arguments.ts";

const HELP = `Prints the routers on the way to a host.

  traceroute.ts [HOST]  address or name (127.0.0.1); needs --allow-net for it

  --hops COUNT          most hops to try, 1 to 255 (30)
  --probes COUNT        datagrams for each hop, 1 to 10 (3)
  --timeout SECONDS     how long to wait for an answer, 1 to 60 (2)
  --interface ADDRESS   address of the interface to send from (127.0.0.1 or ::1); needs --allow-net for it
  --help                show this text`;

/** The first destination port, as traceroute(8) has it. Each datagram has its own, so that answers can be told apart. */
const FIRST_PORT = 33_434;

/** An answer to one datagram: who sent it, after how many milliseconds, and whether the way ends there. */
interface Answer {
  readonly from: string;
  readonly time: number;
  readonly ends: boolean;
}

/** Sends one datagram with a TTL and resolves to the answer, or to null after the timeout. */
async function probe(socket: UdpSocket, to: Deno.NetAddr, ttl: number, timeout: number): Promise<Answer | null> {
  const signal = AbortSignal.timeout(timeout);
  const sent = performance.now();
  await socket.send(new Uint8Array(24), to, { ttl });
  try {
    for (;;) {
      const error = await socket.receiveError({ signal });
      // An answer that comes too late is about another port.
      if (error.destination.port !== to.port) continue;
      const from = error.offender ?? "this host";
      return { from, time: performance.now() - sent, ends: !isExpired(error) };
    }
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  }
}

/** Whether a router has dropped the datagram because its TTL ran out: RFC 792, RFC 4443. */
function isExpired({ origin, type }: DatagramError): boolean {
  return type === (origin === "icmp6" ? 3 : 11);
}

/** One line of the list: every address with its times, "*" for no answer. */
function describe(hop: number, answers: readonly (Answer | null)[]): string {
  const texts: string[] = [];
  let last: string | undefined;
  for (const answer of answers) {
    if (answer === null) texts.push("*");
    else {
      if (answer.from !== last) texts.push(last = answer.from);
      texts.push(`${answer.time.toFixed(3)} ms`);
    }
  }
  return `${String(hop).padStart(2)}  ${texts.join("  ")}`;
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["hops", "probes", "timeout", "interface"],
    boolean: ["help"],
    default: { hops: "30", probes: "3", timeout: "2" },
    unknown: atMost(1),
  });
  if (args.help) return console.log(HELP);
  const hops = wholeNumber("hops", args.hops, 1, 255);
  const probes = wholeNumber("probes", args.probes, 1, 10);
  const timeout = wholeNumber("timeout", args.timeout, 1, 60) * 1000;

  const { hostname } = await resolveAddress("ip", String(args._[0] ?? "127.0.0.1"));
  const loopback = /^127\./.test(hostname) ? "127.0.0.1" : hostname === "::1" ? "::1" : undefined;
  const source = args.interface ?? loopback;
  if (source === undefined) {
    throw new TypeError(`${hostname} is not a loopback address; pass the address to send from: --interface ADDRESS`);
  }
  using socket = listenDatagram({ transport: "udp", hostname: source, errors: true });
  console.log(`Tracing the route from ${source} to ${hostname}, ${hops} hops at most`);
  let port = FIRST_PORT;
  for (let hop = 1; hop <= hops; hop++) {
    const answers: (Answer | null)[] = [];
    for (let count = 0; count < probes; count++) {
      answers.push(await probe(socket, { transport: "udp", hostname, port: port++ }, hop, timeout));
    }
    console.log(describe(hop, answers));
    if (answers.some((answer) => answer?.ends)) return;
  }
  throw new Deno.errors.TimedOut(`${hostname} was not reached in ${hops} hops`);
}

try {
  await main();
} catch (error) {
  fail("traceroute", error);
}
