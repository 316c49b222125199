import { libc } from "../libc/libc.ts";
import { formatHost, parseHost } from "../address/address.ts";
import { controlSpace, writeControlMessage } from "../struct/cmsg.ts";
import { encodePacketInfo4, encodePacketInfo6 } from "../struct/in_pktinfo.ts";
import { isUnspecified } from "../struct/ip.ts";
import type { InetAddress } from "../struct/sockaddr.ts";
import { requireInt } from "../validate/number.ts";
import { type OptionsShape, optionsShape, type WaitOptions } from "../validate/options.ts";
import { quote } from "../validate/quote.ts";
import { inFamily, type IpFamily, packetFamily } from "./families.ts";

/** How one datagram is sent.
 *
 * @example A server of several addresses answers from the one that was asked
 * ```ts
 * import { listenDatagram } from "@berkeley/sockets";
 *
 * using server = listenDatagram({ transport: "udp", hostname: "0.0.0.0", packetInfo: true });
 * using client = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
 * await client.send(new Uint8Array(1), { transport: "udp", hostname: "127.0.0.2", port: server.addr.port });
 * const { data, addr, localAddress } = await server.receiveMessage();
 * await server.send(data, addr, { source: localAddress! });
 * console.log((await client.receive())[1].hostname); // 127.0.0.2
 * ```
 */
export interface SendOptions extends WaitOptions {
  /** The address of this machine to send from, on a socket bound to all of them: the `destination` of the datagram that
   * is answered. A zone ("fe80::1%eth0") chooses the interface too. IP_PKTINFO, IPV6_PKTINFO, IP_SENDSRCADDR. */
  source?: string;
  /** The index of the interface to send by. Default 0, the system's choice. FreeBSD cannot choose one over IPv4. */
  interfaceIndex?: number;
  /** TTL or hop limit of this datagram, from 1 to 255. Default: the socket's. IP_TTL, IPV6_HOPLIMIT. macOS and FreeBSD cannot
   * set it over IPv4. */
  ttl?: number;
  /** Type of service or traffic class of this datagram, from 0 to 255. Default: the socket's. IP_TOS, IPV6_TCLASS. macOS
   * cannot set it over IPv4. */
  trafficClass?: number;
}

/** One datagram of {@linkcode UdpSocket.sendMany}, with its destination and its options. A received {@linkcode Datagram} has
 * members of the same names: to answer it, pass `data` and `addr` alone, or its TTL is used for the answer too.
 *
 * @example
 * ```ts
 * import { listenDatagram, type OutgoingDatagram } from "@berkeley/sockets";
 *
 * using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
 * const probes: OutgoingDatagram[] = [1, 2, 3].map((ttl) => ({ data: Uint8Array.of(ttl), addr: udp.addr, ttl }));
 * console.log(await udp.sendMany(probes)); // 3
 * ```
 */
export interface OutgoingDatagram extends Omit<SendOptions, "signal"> {
  /** The payload, at most 65,507 bytes over IPv4 and 65,527 over IPv6. */
  data: Uint8Array;
  /** The destination; the connected peer by default. */
  addr?: Deno.NetAddr;
}

/** The options of {@linkcode UdpSocket.send}. */
export const SEND_OPTIONS: OptionsShape<SendOptions> = optionsShape<SendOptions>(
  "sends",
  "{ signal, source, interfaceIndex, ttl, trafficClass }",
  { signal: "signal", source: "any", interfaceIndex: "any", ttl: "any", trafficClass: "any" },
);

/** From where and how a datagram is to be sent: checked, and not yet put into the family of its destination. */
export interface Source {
  /** Null leaves it to the system. */
  readonly address: InetAddress | null;
  readonly interfaceIndex: number;
  /** Undefined leaves these two to the socket's options. */
  readonly ttl: number | undefined;
  readonly trafficClass: number | undefined;
}

/** Reads from where and how to send, null where nothing was asked for.
 *
 * @throws {TypeError} for what is no IP address or no whole number, and for an interface beside the zone of another
 * @throws {RangeError} for an index beyond 0 to 2,147,483,647, a TTL beyond 1 to 255, a class beyond 0 to 255
 */
export function readSource(options: Omit<SendOptions, "signal">): Source | null {
  const ttl = requireByte("ttl", options.ttl, 1);
  const trafficClass = requireByte("trafficClass", options.trafficClass, 0);
  const origin = readOrigin(options);
  if (origin === null && ttl === undefined && trafficClass === undefined) return null;
  return { ...origin ?? { address: null, interfaceIndex: 0 }, ttl, trafficClass };
}

function requireByte(name: string, value: unknown, least: number): number | undefined {
  if (value === undefined) return undefined;
  const number = requireInt(name, value);
  if (number >= least && number <= 255) return number;
  throw new RangeError(`Invalid ${name}: ${value}, expected ${least} to 255`);
}

function readOrigin(
  { source, interfaceIndex }: Omit<SendOptions, "signal">,
): Pick<Source, "address" | "interfaceIndex"> | null {
  const asked = interfaceIndex === undefined ? 0 : requireInt("interfaceIndex", interfaceIndex);
  if (asked < 0 || asked > 0x7fff_ffff) {
    throw new RangeError(`Invalid interfaceIndex: ${interfaceIndex}, expected 0 to 2147483647`);
  }
  if (source === undefined) return asked === 0 ? null : { address: null, interfaceIndex: asked };
  const address = typeof source === "string" ? parseHost(source, 0) : null;
  if (address === null) throw new TypeError(`Invalid source: ${quote(source)}, expected an IP address`);
  const { scopeId } = address;
  if (asked !== 0 && scopeId !== 0 && asked !== scopeId) {
    throw new TypeError(`The zone of the source ${source} is interface ${scopeId}, and interfaceIndex is ${asked}`);
  }
  return { address, interfaceIndex: asked === 0 ? scopeId : asked };
}

/** The control messages for a source, on a socket of `family` and for packets of `packets`.
 *
 * @throws {TypeError} for a source of another family than the packets
 * @throws {Deno.errors.NotSupported} for what the system cannot choose for one datagram
 */
export function encodeSource(family: IpFamily, packets: IpFamily, source: Source): Uint8Array<ArrayBuffer> {
  const messages: ControlBytes[] = [];
  if (source.address !== null || source.interfaceIndex !== 0) messages.push(origin(family, packets, source));
  if (source.ttl !== undefined) messages.push(ttl(packets, source.ttl));
  if (source.trafficClass !== undefined) messages.push(trafficClass(packets, source.trafficClass));
  const { layout } = libc().system;
  const control = new Uint8Array(messages.reduce((sum, { data }) => sum + controlSpace(layout, data.length), 0));
  let offset = 0;
  for (const { level, type, data } of messages) {
    offset = writeControlMessage(layout, control, offset, level, type, data);
  }
  return control;
}

/** One control message. */
interface ControlBytes {
  readonly level: number;
  readonly type: number;
  readonly data: Uint8Array;
}

/** IPv4 packets have the options of IPv4 on a dual-stack socket too, but for the source. */
function ttl(packets: IpFamily, value: number): ControlBytes {
  const { IPPROTO_IP, IPPROTO_IPV6, IPV6_HOPLIMIT, IP_TTL_SENT } = libc().system.constants;
  if (packets === "inet6") return { level: IPPROTO_IPV6, type: IPV6_HOPLIMIT, data: int(value) };
  if (IP_TTL_SENT === 0) throw cannotSet("the TTL");
  return { level: IPPROTO_IP, type: IP_TTL_SENT, data: int(value) };
}

/** One byte, which every system takes that takes any. */
function trafficClass(packets: IpFamily, value: number): ControlBytes {
  const { IPPROTO_IP, IPPROTO_IPV6, IPV6_TCLASS, IP_TOS_SENT } = libc().system.constants;
  if (packets === "inet6") return { level: IPPROTO_IPV6, type: IPV6_TCLASS, data: int(value) };
  if (IP_TOS_SENT === 0) throw cannotSet("the type of service");
  return { level: IPPROTO_IP, type: IP_TOS_SENT, data: Uint8Array.of(value) };
}

function cannotSet(what: string): Error {
  return new Deno.errors.NotSupported(`${libc().system.name} cannot set ${what} of one IPv4 datagram`);
}

function int(value: number): Uint8Array {
  return new Uint8Array(Int32Array.of(value).buffer);
}

function origin(family: IpFamily, packets: IpFamily, { address, interfaceIndex }: Source): ControlBytes {
  if (address !== null && !isUnspecified(address.address) && packetFamily(address) !== packets) {
    const [ours, theirs] = packets === "inet" ? ["IPv6", "IPv4"] : ["IPv4", "IPv6"];
    throw new TypeError(
      `The source ${formatHost(address)} is an ${ours} address, and the destination an ${theirs} one`,
    );
  }
  const unspecified: InetAddress = {
    family: packets,
    address: new Uint8Array(packets === "inet" ? 4 : 16),
    port: 0,
    scopeId: 0,
  };
  const chosen = address === null || isUnspecified(address.address) ? unspecified : address;
  const info = { interfaceIndex, address: inFamily(family, chosen, "").address };
  const { IPPROTO_IP, IPPROTO_IPV6, IPV6_PKTINFO, IP_PKTINFO, IP_RECVDSTADDR } = libc().system.constants;
  if (family === "inet6") return { level: IPPROTO_IPV6, type: IPV6_PKTINFO, data: encodePacketInfo6(info) };
  if (IP_PKTINFO !== 0) return { level: IPPROTO_IP, type: IP_PKTINFO, data: encodePacketInfo4(info) };
  if (interfaceIndex !== 0) {
    throw new Deno.errors.NotSupported(`${libc().system.name} cannot choose the interface of one IPv4 datagram`);
  }
  // FreeBSD's IP_SENDSRCADDR has the number of IP_RECVDSTADDR.
  return { level: IPPROTO_IP, type: IP_RECVDSTADDR, data: info.address };
}
