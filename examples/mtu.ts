/**
 * Finds the largest packet that passes to a host in one piece. Datagrams that may not be fragmented are sent, largest
 * first; a router that cannot pass one on says what it takes.
 *
 *     deno run --allow-ffi --allow-net=127.0.0.1 examples/mtu.ts
 *     deno run --allow-ffi --allow-net examples/mtu.ts --interface 192.0.2.1 198.51.100.1
 *
 * It needs Linux: other systems keep no errors of datagrams for a socket.
 *
 * @module
 */
import { type DatagramError, isSocketError, listenDatagram, resolveAddress, type UdpSocket } from "../mod.ts";
import { atMost, fail, parseArgs, wholeNumber } from "./arguments.ts";

const HELP = `Finds the MTU of the path to a host.

  mtu.ts [HOST]        address or name (127.0.0.1); needs --allow-net for it

  --port PORT          a port without a listener, 1 to 65535 (33434)
  --tries COUNT        datagrams of each size, 1 to 20 (5)
  --timeout SECONDS    how long to wait for an answer, 1 to 60 (1)
  --interface ADDRESS  address of the interface to send from (127.0.0.1 or ::1); needs --allow-net for it
  --help               show this text`;

/** Bytes of the headers of IP and UDP. */
const HEADERS = { ipv4: 28, ipv6: 48 } as const;

/** Sends one datagram of a size and resolves to what became of it: null without an answer. */
async function attempt(socket: UdpSocket, length: number, timeout: number): Promise<DatagramError | null> {
  const signal = AbortSignal.timeout(timeout);
  try {
    await socket.send(new Uint8Array(length));
  } catch (error) {
    // The system knows already that it is too large, and has the MTU in its queue of errors.
    if (!isSocketError(error) || error.code !== "EMSGSIZE") throw error;
  }
  return await socket.receiveError({ signal }).catch((error) => {
    if (signal.aborted) return null;
    throw error;
  });
}

/** Lowers the size until a datagram arrives. Resolves to the MTU. */
async function search(socket: UdpSocket, headers: number, tries: number, timeout: number): Promise<number> {
  let mtu = socket.pathMtu;
  for (let left = tries; left > 0; left--) {
    const answer = await attempt(socket, mtu - headers, timeout);
    if (answer === null) continue;
    if (answer.code !== "EMSGSIZE") {
      console.log(`${mtu} bytes: arrived at ${answer.offender}`);
      return mtu;
    }
    if (answer.mtu === undefined || answer.mtu >= mtu) continue;
    console.log(`${mtu} bytes: too large for ${answer.offender ?? "this host"}, which passes ${answer.mtu}`);
    mtu = answer.mtu;
    left = tries + 1;
  }
  throw new Deno.errors.TimedOut(`no answer to ${tries} packets of ${mtu} bytes`);
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["port", "tries", "timeout", "interface"],
    boolean: ["help"],
    default: { port: "33434", tries: "5", timeout: "1" },
    unknown: atMost(1),
  });
  if (args.help) return console.log(HELP);
  const port = wholeNumber("port", args.port, 1, 65_535);
  const tries = wholeNumber("tries", args.tries, 1, 20);
  const timeout = wholeNumber("timeout", args.timeout, 1, 60) * 1000;

  const { hostname } = await resolveAddress("ip", String(args._[0] ?? "127.0.0.1"));
  const loopback = /^127\./.test(hostname) ? "127.0.0.1" : hostname === "::1" ? "::1" : undefined;
  const source = args.interface ?? loopback;
  if (source === undefined) {
    throw new TypeError(`${hostname} is not a loopback address; pass the address to send from: --interface ADDRESS`);
  }
  using socket = listenDatagram({ transport: "udp", hostname: source, errors: true, dontFragment: true });
  socket.connect({ transport: "udp", hostname, port });
  const mtu = await search(socket, hostname.includes(":") ? HEADERS.ipv6 : HEADERS.ipv4, tries, timeout);
  console.log(`The MTU of the path to ${hostname} is ${mtu} bytes`);
}

try {
  await main();
} catch (error) {
  fail("mtu", error);
}
