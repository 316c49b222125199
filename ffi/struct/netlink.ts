/** Messages of rtnetlink(7) and of a BSD routing socket, route(4), as far as they tell which interface has changed. */

import type { NetworkTable } from "../libc/network.ts";

/** sizeof(struct sockaddr_nl). */
export const SOCKADDR_NL_SIZE = 12;

/** offsetof(struct sockaddr_nl, nl_pid) and nl_groups. */
const NL_PID = 4;
const NL_GROUPS = 8;

/** sizeof(struct nlmsghdr), and where its members are. */
const NLMSGHDR_SIZE = 16;
const NLMSG_TYPE = 4;

/** ifi_family of a message about an interface itself. It is the first byte of struct ifinfomsg. */
const AF_UNSPEC = 0;

/** offsetof(struct ifinfomsg, ifi_index), which is that of ifa_index in struct ifaddrmsg too. */
const INDEX = 4;

/** What a message says: an interface is gone, or something of one is another. */
export interface RouteChange {
  readonly kind: "removed" | "changed";
  /** The index of the interface. */
  readonly index: number;
}

/** Encodes the address to bind a netlink socket to: groups of messages to receive, and a port of the kernel's choice. */
export function encodeNetlinkAddress({ constants }: NetworkTable, groups: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(SOCKADDR_NL_SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, constants.AF_NETLINK, true);
  view.setUint32(NL_GROUPS, groups, true);
  return bytes;
}

/** nl_pid of a sender: 0 is the kernel. */
export function netlinkPort(sockaddr: Uint8Array<ArrayBuffer>): number {
  return new DataView(sockaddr.buffer, sockaddr.byteOffset, sockaddr.byteLength).getUint32(NL_PID, true);
}

/** The messages of one datagram of a netlink socket that are about interfaces and their addresses. Others are passed
 * over, and what follows a message of an impossible length is dropped. */
export function readNetlinkChanges(network: NetworkTable, bytes: Uint8Array<ArrayBuffer>): RouteChange[] {
  const { RTM_NEWLINK, RTM_DELLINK, RTM_NEWADDR, RTM_DELADDR } = network.constants;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const changes: RouteChange[] = [];
  let at = 0;
  while (bytes.length - at >= NLMSGHDR_SIZE) {
    const length = view.getUint32(at, true);
    if (length < NLMSGHDR_SIZE || length > bytes.length - at) break;
    const type = view.getUint16(at + NLMSG_TYPE, true);
    if ([RTM_NEWLINK, RTM_DELLINK, RTM_NEWADDR, RTM_DELADDR].includes(type) && length >= NLMSGHDR_SIZE + INDEX + 4) {
      const index = view.getUint32(at + NLMSGHDR_SIZE + INDEX, true);
      // With another family it is a port that leaves a bridge.
      const removed = type === RTM_DELLINK && bytes[at + NLMSGHDR_SIZE] === AF_UNSPEC;
      changes.push({ kind: removed ? "removed" : "changed", index });
    }
    at += Math.ceil(length / 4) * 4;
  }
  return changes;
}

/** Where struct rt_msghdr, if_msghdr, ifa_msghdr and if_announcemsghdr have their type. */
const RTM_TYPE = 3;

/** Whether one message of a BSD routing socket is about interfaces and their addresses. What it says is not read: the
 * layouts differ between systems and versions, and a new listing tells it. */
export function isRouteChange(network: NetworkTable, bytes: Uint8Array): boolean {
  const { RTM_IFINFO, RTM_IFANNOUNCE, RTM_NEWADDR, RTM_DELADDR } = network.constants;
  const type = bytes[RTM_TYPE];
  return type !== undefined && type !== 0 && [RTM_IFINFO, RTM_IFANNOUNCE, RTM_NEWADDR, RTM_DELADDR].includes(type);
}
