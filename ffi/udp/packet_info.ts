import type { Datagram } from "./datagram.ts";
import { libc } from "../libc/libc.ts";
import type { OptionName } from "../libc/option_table.ts";
import type { ControlCursor } from "../struct/cmsg.ts";
import { decodePacketInfo4, decodePacketInfo6, IN6_PKTINFO_SIZE, IN_PKTINFO_SIZE } from "../struct/in_pktinfo.ts";
import { formatIPv4, formatIPv6, isUnspecified } from "../struct/ip.ts";
import { decodeTimespec, decodeTimeval, TIMESPEC_SIZE } from "../struct/timeval.ts";
import { answeringAddress } from "./answering_address.ts";
import type { IpFamily } from "./families.ts";
import { isUnknownOption, optionNumber, writeOption } from "../option/option.ts";

/** The details that a UDP socket receives with each datagram. */
export interface UdpFeatures {
  readonly packetInfo: boolean;
  readonly timestamps: boolean;
  readonly receiveOffload: boolean;
}

/** Bytes for the control messages of one datagram with all features on: an IPv4 one on a dual-stack socket has 40 + 32 + 24 +
 * 24 + 32 + 64 + 24 + 24 on Linux. */
export const CONTROL_ROOM = 320;

const PACKET_INFO: Readonly<Record<IpFamily, readonly OptionName[]>> = {
  inet: ["IP_PKTINFO", "IP_RECVDSTADDR", "IP_RECVIF", "IP_RECVTTL", "IP_RECVTOS"],
  inet6: ["IPV6_RECVPKTINFO", "IPV6_RECVHOPLIMIT", "IPV6_RECVTCLASS"],
};

/** Options for IPv4 datagrams on a dual-stack socket. Older kernels refuse them; TTL and class are then undefined. */
const MAPPED: readonly OptionName[] = ["IP_PKTINFO", "IP_RECVTTL", "IP_RECVTOS"];

/** The most precise first. */
const TIMESTAMPS: readonly OptionName[] = ["SO_TIMESTAMPNS", "SO_TIMESTAMP"];

const ON = Uint8Array.of(1, 0, 0, 0);

function supported(names: readonly OptionName[]): OptionName[] {
  return names.filter((name) => libc().system.options[name] !== null);
}

function enable(fd: number, option: OptionName): void {
  const { level, name } = optionNumber(option);
  writeOption(fd, level, name, ON, option);
}

/** Enables an option if the kernel knows it. Returns whether it does. */
function enableKnown(fd: number, option: OptionName): boolean {
  try {
    enable(fd, option);
    return true;
  } catch (error) {
    if (isUnknownOption(error)) return false;
    throw error;
  }
}

/** Enables the most precise timestamps that the kernel knows. */
function enableTimestamps(fd: number): void {
  const names = supported(TIMESTAMPS);
  if (!names.slice(0, -1).some((name) => enableKnown(fd, name))) enable(fd, names.at(-1)!);
}

/** Enables the requested features. UDP_GRO is skipped on systems without it, where the results are the same. */
export function enableFeatures(fd: number, family: IpFamily, features: UdpFeatures): void {
  if (features.packetInfo) {
    for (const name of supported(PACKET_INFO[family])) enable(fd, name);
    for (const option of family === "inet6" ? supported(MAPPED) : []) {
      const { level, name } = optionNumber(option);
      libc().c.setsockopt(fd, level, name, ON, ON.length);
    }
  }
  if (features.timestamps) enableTimestamps(fd);
  if (features.receiveOffload) { for (const name of supported(["UDP_GRO"])) enableKnown(fd, name); }
}

/** Whether the kernel coalesces datagrams for a socket. */
export function coalesces(fd: number): boolean {
  const gro = libc().system.options.UDP_GRO;
  if (gro === null) return false;
  const value = new Int32Array(1);
  // Kernels before 5.0 do not know the option.
  return libc().c.getsockopt(fd, gro.level, gro.name, value, Uint32Array.of(4)) === 0 && value[0] !== 0;
}

/** Returns the length in bytes of the datagrams of a coalesced message, from the control message of UDP_GRO, or 0 without
 * one. */
export function segmentSize(cursor: ControlCursor, offset: number, length: number): number {
  const { options } = libc().system;
  const gro = options.UDP_GRO;
  if (gro === null) return 0;
  cursor.begin(offset, length);
  while (cursor.next()) {
    if (cursor.level === gro.level && cursor.type === gro.name) return Math.max(0, intOrByte(cursor));
  }
  return 0;
}

/** Reads a control message that is an int on some systems and a byte on others; 0 if it has no data. */
function intOrByte({ view, start, end }: ControlCursor): number {
  if (end - start >= 4) return view.getInt32(start, true);
  return end > start ? view.getUint8(start) : 0;
}

type Details = Omit<Datagram, "data" | "addr" | "truncated">;

/** Reads the details of a datagram from `length` bytes of control messages at `offset`. `sender` is the sockaddr that it
 * came from. */
export function readDetails(cursor: ControlCursor, offset: number, length: number, sender: Uint8Array): Details {
  const { constants } = libc().system;
  const details: Details = {};
  cursor.begin(offset, length);
  while (cursor.next()) {
    if (cursor.level === constants.IPPROTO_IP) readInet(cursor, details);
    else if (cursor.level === constants.IPPROTO_IPV6) readInet6(cursor, details);
    else if (cursor.level === constants.SOL_SOCKET) readTimestamp(cursor, details);
  }
  const local = answeringAddress(details, sender);
  if (local !== undefined) details.localAddress = local;
  return details;
}

/** A message that is shorter than its structure is passed over: the datagram it came with is whole. */
function readInet(cursor: ControlCursor, details: Details): void {
  const { IP_PKTINFO, IP_RECVDSTADDR, IP_RECVIF, IP_TTL_MESSAGE, IP_TOS_MESSAGE } = libc().system.constants;
  const { type } = cursor;
  const length = cursor.end - cursor.start;
  if (type === IP_PKTINFO && length >= IN_PKTINFO_SIZE) {
    const info = decodePacketInfo4(cursor.data);
    // On a dual-stack socket IPV6_PKTINFO has come first, with the address mapped to IPv6.
    details.destination ??= formatIPv4(info.address);
    if (!isUnspecified(info.local)) details.localAddress = formatIPv4(info.local);
    details.interfaceIndex = info.interfaceIndex;
  } else if (type === IP_RECVDSTADDR && length >= 4) {
    details.destination = formatIPv4(cursor.data);
  } else if (type === IP_RECVIF && length >= 4) {
    // struct sockaddr_dl: sdl_index.
    details.interfaceIndex = cursor.view.getUint16(cursor.start + 2, true);
  } else if (type === IP_TTL_MESSAGE) {
    details.ttl = intOrByte(cursor);
  } else if (type === IP_TOS_MESSAGE) {
    details.trafficClass = intOrByte(cursor);
  }
}

function readInet6(cursor: ControlCursor, details: Details): void {
  const { IPV6_PKTINFO, IPV6_HOPLIMIT, IPV6_TCLASS } = libc().system.constants;
  const { type } = cursor;
  const length = cursor.end - cursor.start;
  if (type === IPV6_PKTINFO && length >= IN6_PKTINFO_SIZE) {
    const info = decodePacketInfo6(cursor.data);
    details.destination = formatIPv6(info.address);
    details.interfaceIndex = info.interfaceIndex;
  } else if (type === IPV6_HOPLIMIT) {
    details.ttl = intOrByte(cursor);
  } else if (type === IPV6_TCLASS) {
    details.trafficClass = intOrByte(cursor);
  }
}

function readTimestamp(cursor: ControlCursor, details: Details): void {
  const { constants, layout } = libc().system;
  const length = cursor.end - cursor.start;
  if (cursor.type === constants.SCM_TIMESTAMPNS && length >= TIMESPEC_SIZE) {
    details.timestamp = decodeTimespec(cursor.data);
  } else if (cursor.type === constants.SCM_TIMESTAMP && length >= layout.timeval.size) {
    details.timestamp = decodeTimeval(layout, cursor.data);
  }
}
