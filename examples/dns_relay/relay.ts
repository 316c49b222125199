/**
 * The server of dns_relay.ts: answers what comes by a socket, from the zone or from another server.
 *
 * @module
 */
import { type Datagram, listenDatagram, type UdpSocket } from "../../mod.ts";
import { answer, type Question, Rcode, readQuestion, refuse, TYPES, type Zone } from "./message.ts";

/** Maximum number of queries that wait for the upstream server, and how long each may wait, in milliseconds. */
const MOST_PENDING = 256;
const TIMEOUT = 2000;

/** What a server is to do. */
export interface Settings {
  zone: Zone;
  /** Where names go that the zone does not have. */
  upstream: Deno.NetAddr | null;
  /** The addresses to which queries are answered; all of loopback if there is none. */
  addresses: string[];
  /** What each line of the log begins with. */
  prefix: string;
}

interface Relay extends Settings {
  socket: UdpSocket;
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
    console.log(
      `${relay.prefix}${client} for ${question.name} ${TYPES[question.type] ?? `TYPE${question.type}`}: ${result}`,
    );
  } catch (error) {
    console.log(`${relay.prefix}${client}: ${(error as Error).message}`);
  }
}

/** Converts an IPv4-mapped IPv6 address, as a dual-stack socket reports it, to IPv4 notation. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/, "");
}

/** Serves until the socket is closed. A wildcard socket receives on every interface: queries to addresses that are not
 * ours are not answered. */
export async function run(socket: UdpSocket, settings: Settings): Promise<void> {
  const relay: Relay = { ...settings, socket, pending: 0 };
  const { addresses } = settings;
  const isOurs = (address: string) => addresses.length > 0 ? addresses.includes(address) : /^127\.|^::1$/.test(address);
  for (;;) {
    const datagram = await socket.receiveMessage({ maxLength: 4096 });
    if (isOurs(plain(datagram.destination!))) serve(relay, datagram);
  }
}
