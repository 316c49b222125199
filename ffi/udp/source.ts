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
}

/** The options of {@linkcode UdpSocket.send}. */
export const SEND_OPTIONS: OptionsShape<SendOptions> = optionsShape<SendOptions>(
  "sends",
  "{ signal, source, interfaceIndex }",
  { signal: "signal", source: "any", interfaceIndex: "any" },
);

/** Where a datagram is to be sent from: checked, and not yet put into the family of its destination. */
export interface Source {
  /** Null leaves it to the system. */
  readonly address: InetAddress | null;
  readonly interfaceIndex: number;
}

/** Reads where to send from, null where nothing was asked for.
 *
 * @throws {TypeError} for what is no IP address or no whole number, and for an interface beside the zone of another
 * @throws {RangeError} for an index beyond 0 to 2,147,483,647
 */
export function readSource({ source, interfaceIndex }: SendOptions): Source | null {
  const asked = interfaceIndex === undefined ? 0 : requireInt("interfaceIndex", interfaceIndex);
  if (asked < 0 || asked > 0x7fff_ffff) {
    throw new RangeError(`Invalid interfaceIndex: ${asked}, expected 0 to 2147483647`);
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

/** The control message for a source, on a socket of `family` and for packets of `packets`.
 *
 * @throws {TypeError} for a source of another family than the packets
 * @throws {Deno.errors.NotSupported} for an interface over IPv4 on a system that cannot choose it
 */
export function encodeSource(
  family: IpFamily,
  packets: IpFamily,
  { address, interfaceIndex }: Source,
): Uint8Array<ArrayBuffer> {
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
  const { constants } = libc().system;
  if (family === "inet6") return message(constants.IPPROTO_IPV6, constants.IPV6_PKTINFO, encodePacketInfo6(info));
  if (constants.IP_PKTINFO !== 0) {
    return message(constants.IPPROTO_IP, constants.IP_PKTINFO, encodePacketInfo4(info));
  }
  if (interfaceIndex !== 0) {
    throw new Deno.errors.NotSupported(`${libc().system.name} cannot choose the interface of one IPv4 datagram`);
  }
  // FreeBSD's IP_SENDSRCADDR has the number of IP_RECVDSTADDR.
  return message(constants.IPPROTO_IP, constants.IP_RECVDSTADDR, info.address);
}

function message(level: number, type: number, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const { layout } = libc().system;
  const control = new Uint8Array(controlSpace(layout, data.length));
  writeControlMessage(layout, control, 0, level, type, data);
  return control;
}
