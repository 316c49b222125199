/**
 * Ping, with nothing but Socket: ICMP has no class of its own in this module, and does not need one.
 *
 *     deno run --allow-ffi --allow-net examples/ping.ts
 *     deno run --allow-ffi --allow-net examples/ping.ts ::1
 *     deno run --allow-ffi --allow-net examples/ping.ts --interface 192.0.2.1 192.0.2.2
 *
 * It needs either a group in net.ipv4.ping_group_range (Linux), where --allow-net=127.0.0.1 would do, or CAP_NET_RAW, that is root: a raw
 * socket hears everybody's ICMP, so it needs --allow-net for every host.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { resolveAddress, Socket } from "../mod.ts";
import { number } from "./arguments.ts";

const HELP = `Sends ICMP echo requests and prints how long the answers take.

  ping.ts [HOST]       address or name (127.0.0.1); needs --allow-net for it

  --count COUNT        how many requests, 1 to 1000 (4)
  --interval SECONDS   from one to the next (1)
  --timeout SECONDS    how long to wait for each answer (1)
  --interface ADDRESS  address of the interface to leave by (127.0.0.1 or ::1); needs --allow-net for it
  --help               this text`;

/** ICMP and ICMPv6: the protocol, and the types of a request and of its answer. RFC 792, RFC 4443. */
const V4 = { domain: "inet", protocol: 1, request: 8, reply: 0, loopback: "127.0.0.1" } as const;
const V6 = { domain: "inet6", protocol: 58, request: 128, reply: 129, loopback: "::1" } as const;
type Version = typeof V4 | typeof V6;

/** The Internet checksum of RFC 1071. Over a message that contains its own checksum it is 0. */
function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += bytes[i]! << 8 | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** Type, code, checksum, identifier, sequence number, and a token by which we know our own again. */
function echoRequest(version: Version, sequence: number, token: Uint8Array): Uint8Array {
  const message = new Uint8Array(8 + token.length);
  const view = new DataView(message.buffer);
  view.setUint8(0, version.request);
  view.setUint16(6, sequence);
  message.set(token, 8);
  view.setUint16(2, checksum(message)); // The kernel sets that of ICMPv6, which covers the addresses too.
  return message;
}

/** Whether a packet is the answer to our request of this number. */
function answers(packet: Uint8Array, version: Version, sequence: number, token: Uint8Array): boolean {
  // Raw IPv4 sockets give the IP header as well, whose first half byte is a 4.
  const header = version === V4 && packet[0]! >> 4 === 4 ? (packet[0]! & 15) * 4 : 0;
  const message = packet.subarray(header);
  if (message.length !== 8 + token.length || message[0] !== version.reply) return false;
  if (version === V4 && checksum(message) !== 0) return false;
  return (message[6]! << 8 | message[7]!) === sequence && token.every((byte, i) => message[8 + i] === byte);
}

/** A datagram socket, which a group of users may open, or else a raw one, which only root may. */
function openSocket({ domain, protocol }: Version): [socket: Socket, kind: string] {
  for (const kind of ["dgram", "raw"] as const) {
    try {
      return [Socket.open(domain, kind, protocol), kind];
    } catch (error) {
      if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    }
  }
  throw new Deno.errors.PermissionDenied("needs a group in net.ipv4.ping_group_range, or CAP_NET_RAW (run it as root)");
}

/** The milliseconds until the answer, or null where none came in time. */
async function ping(
  socket: Socket,
  version: Version,
  sequence: number,
  token: Uint8Array,
  patience: number,
): Promise<number | null> {
  const buffer = new Uint8Array(1500);
  const signal = AbortSignal.timeout(patience);
  const sent = performance.now();
  await socket.send(echoRequest(version, sequence, token));
  try {
    for (;;) {
      const { length } = await socket.receive(buffer, { signal });
      const elapsed = performance.now() - sent;
      if (answers(buffer.subarray(0, length), version, sequence, token)) return elapsed;
    }
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  }
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["count", "interval", "timeout", "interface"],
    boolean: ["help"],
    default: { count: "4", interval: "1", timeout: "1" },
    unknown: (arg) => {
      if (arg.startsWith("-")) throw new TypeError(`${arg} means nothing here: see --help`);
    },
  });
  if (args.help) return console.log(HELP);
  const count = Math.trunc(number("count", args.count, 1, 1000));
  const interval = number("interval", args.interval, 0, 60) * 1000;
  const patience = number("timeout", args.timeout, 0.001, 60) * 1000;

  const peer = await resolveAddress("ip", String(args._[0] ?? V4.loopback));
  const version = peer.hostname.includes(":") ? V6 : V4;
  if (args.interface === undefined && !/^(127\..*|::1)$/.test(peer.hostname)) {
    throw new TypeError(`${peer.hostname} is not this machine: name the address to leave it by, --interface ADDRESS`);
  }
  const [socket, kind] = openSocket(version);
  using _closing = socket;
  socket.bind({ transport: "udp", hostname: args.interface ?? version.loopback, port: 0 });
  await socket.connect(peer); // From now on we hear that peer alone.
  console.log(`Pinging ${peer.hostname} through a ${kind} socket`);

  const times: number[] = [];
  for (let sequence = 1; sequence <= count; sequence++) {
    const token = crypto.getRandomValues(new Uint8Array(16));
    const time = await ping(socket, version, sequence, token, patience);
    if (time !== null) times.push(time);
    console.log(`${sequence}: ${time === null ? "no answer" : `${time.toFixed(3)} ms`}`);
    if (sequence < count) await new Promise((resolve) => setTimeout(resolve, interval));
  }
  if (times.length === 0) throw new Deno.errors.TimedOut(`${peer.hostname} did not answer`);
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
  const spread = [Math.min(...times), mean, Math.max(...times)].map((time) => time.toFixed(3)).join(" / ");
  console.log(`${times.length} of ${count} answered; least / mean / most ${spread} ms`);
}

try {
  await main();
} catch (error) {
  console.error(`ping: ${error instanceof Error ? error.message : error}`);
  Deno.exit(1);
}
