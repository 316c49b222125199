/**
 * What tests ask about the system whose table is in use, which is not always the one that runs: tests/double.
 *
 * @module
 */
import { thisSystem } from "../../ffi/libc/host.ts";

const { name, options, constants, network, abstractUnixNames, seqpacketSockets, reusePortOption } = thisSystem();

/** Whether the table is Linux's. */
export const linuxTable: boolean = name.startsWith("Linux");

/** Why a test of Unix sockets with abstract names cannot run, or null. */
export const noAbstractNames: string | null = abstractUnixNames ? null : `${name} has no abstract names`;

/** Why a test of Unix sockets that keep message boundaries on a connection cannot run, or null. */
export const noSeqpacket: string | null = seqpacketSockets ? null : `${name} has no SOCK_SEQPACKET`;

/** Why a test of dials that wait for room in a full backlog of a Unix socket cannot run, or null. */
export const noFullBacklog: string | null = linuxTable ? null : `a full backlog refuses on ${name}`;

/** Why a test of a connected datagram socket that sends to another than its peer cannot run, or null. */
export const noOtherThanPeer: string | null = linuxTable ? null : `a connected socket sends to its peer on ${name}`;

/** Why a test of options of IPv4 on an IPv6 socket cannot run, or null. */
export const noDualStackOptions: string | null = linuxTable ? null : `an IPv6 socket has none of IPv4 on ${name}`;

/** Why a test of empty messages on a seqpacket connection cannot run, or null: what tells them from the end is a control
 * message that every message has. */
export const noEmptyMessages: string | null = options.SO_PASSCRED === null
  ? `an empty message reads as the end on ${name}`
  : null;

/** Why a test that chooses the interface of one IPv4 datagram cannot run, or null. */
export const noInterfaceChoice: string | null = constants.IP_PKTINFO === 0
  ? `one IPv4 datagram cannot choose its interface on ${name}`
  : null;

/** Why a test that binds a socket to an interface cannot run, or null. */
export const noInterfaceBinding: string | null =
  options.SO_BINDTOIFINDEX === null && network.constants.IP_BOUND_IF === 0
    ? `a socket cannot be bound to an interface on ${name}`
    : null;

/** Why a test of load that is shared by the sockets of one port cannot run, or null. */
export const noSharedLoad: string | null = reusePortOption === null ? `${name} shares no load` : null;

/** Why a test that sets these options cannot run, or null. */
export function missingOptions(...names: (keyof typeof options)[]): string | null {
  const missing = names.filter((option) => options[option] === null);
  return missing.length === 0 ? null : `${name} has no ${missing.join(", ")}`;
}
