/**
 * Ping, written with Socket alone: ICMP needs no class of its own. A filter in the kernel keeps other messages out, and a
 * control message has the TTL of each answer.
 *
 *     deno run --allow-ffi --allow-net examples/ping.ts
 *     deno run --allow-ffi --allow-net examples/ping.ts ::1
 *     deno run --allow-ffi --allow-net examples/ping.ts --interface 192.0.2.1 192.0.2.2
 *
 * It needs a group in net.ipv4.ping_group_range (Linux; then --allow-net=127.0.0.1 is enough), or root (CAP_NET_RAW): a raw
 * socket receives the ICMP packets of all hosts and so needs --allow-net for every host.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { type ControlMessage, resolveAddress, Socket, sockopt } from "../mod.ts";
import { atMost, fail, number, parseArgs, wholeNumber } from "./arguments.ts";
import { onStop } from "./signals.ts";

const HELP = `Sends ICMP echo requests and prints the round-trip times.

  ping.ts [HOST]       address or name (127.0.0.1); needs --allow-net for it

  --count COUNT        number of requests, 1 to 1000 (4)
  --interval SECONDS   time between two requests, 0 to 60 (1)
  --timeout SECONDS    how long to wait for each answer, 0.001 to 60 (1)
  --interface ADDRESS  address of the interface to send from (127.0.0.1 or ::1); needs --allow-net for it
  --help               show this text

Ctrl-C prints the summary; a second Ctrl-C exits at once.`;

/** Protocol numbers and message types of ICMP (RFC 792) and ICMPv6 (RFC 4443). */
const V4 = { domain: "inet", protocol: 1, request: 8, reply: 0, loopback: "127.0.0.1", header: 20 } as const;
const V6 = { domain: "inet6", protocol: 58, request: 128, reply: 129, loopback: "::1", header: 0 } as const;
type Version = typeof V4 | typeof V6;

/** The Internet checksum of RFC 1071. It is 0 over a message that contains its checksum. */
function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += bytes[i]! << 8 | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** Makes an echo request: type, code, checksum, identifier, sequence number, and a token that identifies the answer. */
function echoRequest(version: Version, sequence: number, token: Uint8Array): Uint8Array {
  const message = new Uint8Array(8 + token.length);
  const view = new DataView(message.buffer);
  view.setUint8(0, version.request);
  view.setUint16(6, sequence);
  message.set(token, 8);
  view.setUint16(2, checksum(message)); // The kernel sets the checksum of ICMPv6, which covers the addresses too.
  return message;
}

/** Whether a packet is the answer to the request with this sequence number and token. */
function answers(packet: Uint8Array, version: Version, sequence: number, token: Uint8Array): boolean {
  // Raw IPv4 sockets return the IP header as well; its first four bits are the version, 4.
  const header = version === V4 && packet[0]! >> 4 === 4 ? (packet[0]! & 15) * 4 : 0;
  const message = packet.subarray(header);
  if (message.length !== 8 + token.length || message[0] !== version.reply) return false;
  if (version === V4 && checksum(message) !== 0) return false;
  return (message[6]! << 8 | message[7]!) === sequence && token.every((byte, i) => message[8 + i] === byte);
}

/** Has the kernel drop all ICMP messages of this machine but echo replies: a classic BPF program, on Linux. Raw IPv4 sockets
 * have the IP header in front of the message. */
function keepAnswersOnly(socket: Socket, { reply, header }: Version): void {
  if (Deno.build.os !== "linux") return;
  socket.attachFilter([
    { code: 0x30, k: header }, // Load the type of the message.
    { code: 0x15, k: reply, jt: 0, jf: 1 }, // If it is an echo reply,
    { code: 0x06, k: 0xffff_ffff }, // receive the whole packet,
    { code: 0x06, k: 0 }, // and nothing of it otherwise.
  ]);
}

/** Opens a datagram socket, which needs a group in net.ipv4.ping_group_range, or else a raw one, which needs root. */
function openSocket(version: Version): [socket: Socket, kind: string] {
  const { domain, protocol } = version;
  for (const kind of ["dgram", "raw"] as const) {
    try {
      const socket = Socket.open(domain, kind, protocol);
      if (kind === "raw") keepAnswersOnly(socket, version);
      const ttl = domain === "inet" ? sockopt.IP_RECVTTL : sockopt.IPV6_RECVHOPLIMIT;
      if (ttl.supported) socket.setOption(ttl, true);
      return [socket, kind];
    } catch (error) {
      if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    }
  }
  throw new Deno.errors.PermissionDenied("needs a group in net.ipv4.ping_group_range, or CAP_NET_RAW (run as root)");
}

/** An answer: its round-trip time in milliseconds, and its TTL or hop limit where the system has it. */
interface Answer {
  readonly time: number;
  readonly ttl: number | undefined;
}

/** The TTL or hop limit among the control messages of a packet: the only one that was asked for. */
function ttlOf([message]: readonly ControlMessage[]): number | undefined {
  return message?.data[0];
}

/** Sends a request and resolves to the answer, or to null after the timeout. */
async function ping(
  socket: Socket,
  version: Version,
  sequence: number,
  token: Uint8Array,
  timeout: number,
): Promise<Answer | null> {
  const buffer = new Uint8Array(1500);
  const signal = AbortSignal.timeout(timeout);
  const sent = performance.now();
  await socket.send(echoRequest(version, sequence, token));
  try {
    for (;;) {
      const { length, control } = await socket.receive(buffer, { signal, controlLength: 64 });
      const time = performance.now() - sent;
      if (answers(buffer.subarray(0, length), version, sequence, token)) return { time, ttl: ttlOf(control) };
    }
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  }
}

function describe({ time, ttl }: Answer): string {
  return `${time.toFixed(3)} ms${ttl === undefined ? "" : `, TTL ${ttl}`}`;
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["count", "interval", "timeout", "interface"],
    boolean: ["help"],
    default: { count: "4", interval: "1", timeout: "1" },
    unknown: atMost(1),
  });
  if (args.help) return console.log(HELP);
  const count = wholeNumber("count", args.count, 1, 1000);
  const interval = number("interval", args.interval, 0, 60) * 1000;
  const timeout = number("timeout", args.timeout, 0.001, 60) * 1000;

  const peer = await resolveAddress("ip", String(args._[0] ?? V4.loopback));
  const version = peer.hostname.includes(":") ? V6 : V4;
  if (args.interface === undefined && !/^(127\..*|::1)$/.test(peer.hostname)) {
    throw new TypeError(
      `${peer.hostname} is not a loopback address; pass the address to send from: --interface ADDRESS`,
    );
  }
  const [socket, kind] = openSocket(version);
  using _closing = socket;
  socket.bind({ transport: "udp", hostname: args.interface ?? version.loopback, port: 0 });
  await socket.connect(peer); // From now on the socket receives from this peer only.
  console.log(`Pinging ${peer.hostname} through a ${kind} socket`);

  const times: number[] = [];
  const stopping = new AbortController();
  using _stop = onStop(() => stopping.abort());
  let sent = 0;
  while (sent < count && !stopping.signal.aborted) {
    const token = crypto.getRandomValues(new Uint8Array(16));
    const answer = await ping(socket, version, ++sent, token, timeout);
    if (answer !== null) times.push(answer.time);
    console.log(`${sent}: ${answer === null ? "no answer" : describe(answer)}`);
    if (sent < count) await delay(interval, undefined, { signal: stopping.signal }).catch(() => {});
  }
  if (times.length === 0) throw new Deno.errors.TimedOut(`${peer.hostname} did not answer`);
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
  const spread = [Math.min(...times), mean, Math.max(...times)].map((time) => time.toFixed(3)).join(" / ");
  console.log(`${times.length} of ${sent} answered; min / mean / max ${spread} ms`);
}

try {
  await main();
} catch (error) {
  fail("ping", error);
}
