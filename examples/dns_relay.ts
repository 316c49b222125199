/**
 * A DNS server on a wildcard socket, which answers every question from the address that was asked: a client that has
 * asked 127.0.0.2 takes no answer from 127.0.0.1. `packetInfo` tells which address that was, and `source` answers from it.
 *
 *     deno run --allow-ffi --allow-net=0.0.0.0,127.0.0.0/8 examples/dns_relay.ts
 *
 * In another terminal: `dig @127.0.0.2 -p 5300 berkeley.test AAAA`, or with `--record`, a name of your own. What it does
 * not know it asks of another server, if one is named:
 *
 *     deno run --allow-ffi --allow-net examples/dns_relay.ts --upstream 192.0.2.53:53
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
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
import { number } from "./arguments.ts";

const HELP = `A DNS server that answers from the address that was asked.

  --record NAME=ADDRESS  what to answer for a name; several times for several
                         (berkeley.test=192.0.2.7 and berkeley.test=2001:db8::7)
  --upstream HOST:PORT   whom to ask for other names (nobody); needs --allow-net for it
  --host ADDRESS         wildcard address to listen on, 0.0.0.0 or :: (0.0.0.0); needs --allow-net for it
  --port PORT            its port, 0 for any free one (5300)
  --interface ADDRESS    answer what is asked at this address; several times for several (all of loopback);
                         needs --allow-net for those who ask
  --help                 this text

Ctrl-C stops.`;

/** Questions that may wait for the upstream at a time, and for how long, in milliseconds. */
const MOST_PENDING = 256;
const PATIENCE = 2000;

interface Relay {
  socket: UdpSocket;
  zone: Zone;
  upstream: Deno.NetAddr | null;
  pending: number;
}

/** Asks the upstream from a socket of its own: a port that nobody can guess, and nobody else is heard on it. */
async function ask(upstream: Deno.NetAddr, query: Uint8Array): Promise<Uint8Array> {
  using socket = listenDatagram({ transport: "udp", hostname: upstream.hostname.includes(":") ? "::" : "0.0.0.0" });
  socket.connect(upstream);
  socket.setDeadline(new Date(Date.now() + PATIENCE));
  await socket.send(query);
  for (;;) {
    const [message] = await socket.receive();
    // The same identifier, and the bit that makes it an answer.
    if (message.length >= 12 && message[0] === query[0] && message[1] === query[1] && message[2]! >> 7) return message;
  }
}

/** The answer to a query, and what to print of it. */
async function answerTo(relay: Relay, query: Uint8Array, question: Question): Promise<[Uint8Array, string]> {
  const addresses = relay.zone.get(question.name);
  if (addresses !== undefined) {
    const fitting = addresses.filter(({ type }) => type === question.type);
    return [answer(query, question, fitting), fitting.map(({ text }) => text).join(" ") || "nothing of that type"];
  }
  if (relay.upstream === null) return [refuse(query, question, Rcode.nameError), "no such name"];
  if (relay.pending === MOST_PENDING) return [refuse(query, question, Rcode.serverFailure), "too many questions"];
  relay.pending++;
  try {
    return [await ask(relay.upstream, query), "relayed"];
  } catch (error) {
    return [refuse(query, question, Rcode.serverFailure), (error as Error).message];
  } finally {
    relay.pending--;
  }
}

/** Answers one datagram. Whatever it is, it must not stop the server. */
async function serve(relay: Relay, { data, addr, destination }: Datagram): Promise<void> {
  const who = `${plain(addr.hostname)} port ${addr.port} asked ${plain(destination!)}`;
  try {
    const question = readQuestion(data);
    if (question === null) return; // Not even a query.
    const [message, result] = question.refusal === undefined
      ? await answerTo(relay, data, question)
      : [refuse(data, question, question.refusal), "a question that is none"];
    await relay.socket.send(message, addr, { source: destination! });
    console.log(`${who} for ${question.name} ${TYPES[question.type] ?? `TYPE${question.type}`}: ${result}`);
  } catch (error) {
    console.log(`${who}: ${(error as Error).message}`);
  }
}

/** As people write it: a socket of both families sees IPv4 addresses as a part of IPv6. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/, "");
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["record", "upstream", "host", "port", "interface"],
    boolean: ["help"],
    collect: ["record", "interface"],
    default: { host: "0.0.0.0", port: "5300" },
    unknown: (arg) => {
      throw new TypeError(`${arg} means nothing here: see --help`);
    },
  });
  if (args.help) return console.log(HELP);
  const records = args.record.length > 0 ? args.record : ["berkeley.test=192.0.2.7", "berkeley.test=2001:db8::7"];
  const zone: Zone = new Map();
  for (const [name, address] of records.map(readRecord)) zone.set(name, [...zone.get(name) ?? [], address]);
  const upstream = args.upstream === undefined ? null : await resolveAddress("udp", args.upstream);

  const port = number("port", args.port, 0, 65535);
  using socket = listenDatagram({ transport: "udp", hostname: args.host, port, packetInfo: true });
  const relay: Relay = { socket, zone, upstream, pending: 0 };
  Deno.addSignalListener("SIGINT", () => Deno.exit());
  console.log(`Listening on ${socket.addr.hostname} port ${socket.addr.port}; Ctrl-C stops`);

  // A wildcard socket hears the whole network; who is not asked on an address of ours to answer stays silent.
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
  console.error(`dns_relay: ${error instanceof Error ? error.message : error}`);
  Deno.exit(1);
}
