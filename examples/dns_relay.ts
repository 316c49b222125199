/**
 * A DNS server on a wildcard socket that answers every query from the address it was sent to: a client that asked 127.0.0.2
 * does not accept an answer from 127.0.0.1. `packetInfo` gives that address, and `source` sends from it.
 *
 *     deno run --allow-ffi --allow-net=0.0.0.0,127.0.0.0/8 examples/dns_relay.ts
 *
 * In another terminal: `dig @127.0.0.2 -p 5300 berkeley.test AAAA`. `--record` adds names. Queries for other names are
 * relayed to another server if there is one:
 *
 *     deno run --allow-ffi --allow-net examples/dns_relay.ts --upstream 192.0.2.53:53
 *
 * @module
 */
import { type Datagram, listenDatagram, resolveAddress, type UdpSocket } from "../mod.ts";
import {
  answer,
  type Question,
  Rcode,
  readQuestion,
  readRecord,
  refuse,
  TYPES,
  type Zone,
} from "./dns_relay/message.ts";
import { fail, parseArgs, unknownArgument, wholeNumber } from "./arguments.ts";
import { onStop } from "./signals.ts";

const HELP = `DNS server that answers from the address a query was sent to.

  --record NAME=ADDRESS  address of a name; can be repeated
                         (berkeley.test=192.0.2.7 and berkeley.test=2001:db8::7)
  --upstream HOST:PORT   server to relay other names to (none); needs --allow-net for it
  --host ADDRESS         wildcard address to listen on, 0.0.0.0 or :: (0.0.0.0); needs --allow-net for it
  --port PORT            port to listen on, 0 for a free one (5300)
  --interface ADDRESS    answer queries sent to this address; can be repeated (all of loopback);
                         needs --allow-net for the clients
  --help                 show this text

Ctrl-C stops.`;

/** Maximum number of queries that wait for the upstream server, and how long each may wait, in milliseconds. */
const MOST_PENDING = 256;
const TIMEOUT = 2000;

interface Relay {
  socket: UdpSocket;
  zone: Zone;
  upstream: Deno.NetAddr | null;
  pending: number;
}

/** Queries the upstream server from a new socket, whose port cannot be predicted and which receives only from there. */
async function ask(upstream: Deno.NetAddr, query: Uint8Array): Promise<Uint8Array> {
  using socket = listenDatagram({ transport: "udp", hostname: upstream.hostname.includes(":") ? "::" : "0.0.0.0" });
  socket.connect(upstream);
  socket.setDeadline(new Date(Date.now() + TIMEOUT));
  await socket.send(query);
  for (;;) {
    const [message] = await socket.receive();
    // The identifier of the query, and the bit that marks a response.
    if (message.length >= 12 && message[0] === query[0] && message[1] === query[1] && message[2]! >> 7) return message;
  }
}

/** Returns the answer to a query and a description of it for the log. */
async function answerTo(relay: Relay, query: Uint8Array, question: Question): Promise<[Uint8Array, string]> {
  const addresses = relay.zone.get(question.name);
  if (addresses !== undefined) {
    const fitting = addresses.filter(({ type }) => type === question.type);
    return [answer(query, question, fitting), fitting.map(({ text }) => text).join(" ") || "no record of this type"];
  }
  if (relay.upstream === null) return [refuse(query, question, Rcode.nameError), "no such name"];
  if (relay.pending === MOST_PENDING) return [refuse(query, question, Rcode.serverFailure), "too many queries"];
  relay.pending++;
  try {
    return [await ask(relay.upstream, query), "relayed"];
  } catch (error) {
    return [refuse(query, question, Rcode.serverFailure), (error as Error).message];
  } finally {
    relay.pending--;
  }
}

/** Answers one datagram. No datagram must stop the server. */
async function serve(relay: Relay, { data, addr, destination, localAddress }: Datagram): Promise<void> {
  const client = `${plain(addr.hostname)} port ${addr.port} asked ${plain(destination!)}`;
  try {
    const question = readQuestion(data);
    if (question === null) return; // Not a query.
    const [message, result] = question.refusal === undefined
      ? await answerTo(relay, data, question)
      : [refuse(data, question, question.refusal), "invalid query"];
    await relay.socket.send(message, addr, { source: localAddress! });
    console.log(`${client} for ${question.name} ${TYPES[question.type] ?? `TYPE${question.type}`}: ${result}`);
  } catch (error) {
    console.log(`${client}: ${(error as Error).message}`);
  }
}

/** Converts an IPv4-mapped IPv6 address, as a dual-stack socket reports it, to IPv4 notation. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/, "");
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["record", "upstream", "host", "port", "interface"],
    boolean: ["help"],
    collect: ["record", "interface"],
    default: { host: "0.0.0.0", port: "5300" },
    unknown: unknownArgument,
  });
  if (args.help) return console.log(HELP);
  const records = args.record.length > 0 ? args.record : ["berkeley.test=192.0.2.7", "berkeley.test=2001:db8::7"];
  const zone: Zone = new Map();
  for (const [name, address] of records.map(readRecord)) zone.set(name, [...zone.get(name) ?? [], address]);
  const upstream = args.upstream === undefined ? null : await resolveAddress("udp", args.upstream);

  const port = wholeNumber("port", args.port, 0, 65535);
  using socket = listenDatagram({ transport: "udp", hostname: args.host, port, packetInfo: true });
  const relay: Relay = { socket, zone, upstream, pending: 0 };
  using _stopping = onStop(() => Deno.exit());
  console.log(`Listening on ${socket.addr.hostname} port ${socket.addr.port}; Ctrl-C stops`);

  // A wildcard socket receives on every interface. Queries to other addresses are not answered.
  const isOurs = (address: string) =>
    args.interface.length > 0 ? args.interface.includes(address) : /^127\.|^::1$/.test(address);
  for (;;) {
    const datagram = await socket.receiveMessage({ maxLength: 4096 });
    if (isOurs(plain(datagram.destination!))) serve(relay, datagram);
  }
}

try {
  await main();
} catch (error) {
  fail("dns_relay", error, { EADDRINUSE: "choose another port with --port" });
}
