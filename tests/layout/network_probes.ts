/** What to ask a system's headers about the network part of its table. */

import type { System } from "../../ffi/libc/system.ts";
import type { Probe } from "./probes.ts";

/** Names that one backend's headers have and its table leaves out: FreeBSD has a netlink of its own since 13.2, and
 * Linux spells it AF_ROUTE too. */
const FOREIGN: Readonly<Record<System["backend"], RegExp>> = { epoll: /^AF_ROUTE$/, kqueue: /^(AF_NETLINK|RTMGRP_)/ };

/** The same on every system, so that no table has it: ffi/struct/ifaddrs.ts has these numbers in its code. */
const IFADDRS: Readonly<Record<string, number>> = {
  "sizeof(struct ifaddrs)": 56,
  "offsetof(struct ifaddrs, ifa_next)": 0,
  "offsetof(struct ifaddrs, ifa_name)": 8,
  "offsetof(struct ifaddrs, ifa_flags)": 16,
  "offsetof(struct ifaddrs, ifa_addr)": 24,
  "offsetof(struct ifaddrs, ifa_netmask)": 32,
  "offsetof(struct ifaddrs, ifa_dstaddr)": 40,
  "offsetof(struct ifaddrs, ifa_data)": 48,
};

/** What ffi/struct/netlink.ts and sock_filter.ts have in their code, which Linux alone runs. */
const LINUX: Readonly<Record<string, number>> = {
  "sizeof(struct sockaddr_nl)": 12,
  "offsetof(struct sockaddr_nl, nl_pid)": 4,
  "offsetof(struct sockaddr_nl, nl_groups)": 8,
  "sizeof(struct nlmsghdr)": 16,
  "offsetof(struct nlmsghdr, nlmsg_len)": 0,
  "offsetof(struct nlmsghdr, nlmsg_type)": 4,
  "offsetof(struct ifinfomsg, ifi_index)": 4,
  "offsetof(struct ifaddrmsg, ifa_index)": 4,
  "sizeof(((struct ifaddrmsg *)0)->ifa_index)": 4,
};

/** What it has in its code for the others. */
const BSD: Readonly<Record<string, number>> = { "offsetof(struct rt_msghdr, rtm_type)": 3 };

const MEMBERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  sockaddr_ll: { ifindex: "sll_ifindex", halen: "sll_halen", addr: "sll_addr" },
  sockaddr_dl: { index: "sdl_index", nlen: "sdl_nlen", alen: "sdl_alen", data: "sdl_data" },
  ifreq: { mtu: "ifr_mtu" },
  if_data: { mtu: "ifi_mtu" },
};

/** Every question about the network part of a table. */
export function networkProbes({ backend, network }: System): Probe[] {
  const inCode = { ...IFADDRS, ...(backend === "epoll" ? LINUX : BSD) };
  const rows: Probe[] = Object.entries(inCode).map(([expression, expected]) => {
    return { name: expression, expression, macro: null, expected };
  });
  for (const [name, number] of Object.entries(network.constants)) {
    if (FOREIGN[backend].test(name)) continue;
    rows.push({ name, expression: name, macro: name, expected: number === 0 ? null : number });
  }
  for (const [structure, members] of Object.entries(network.layout)) {
    for (const [key, expected] of Object.entries(members ?? {}) as [string, number][]) {
      const expression = key === "size"
        ? `sizeof(struct ${structure})`
        : `offsetof(struct ${structure}, ${MEMBERS[structure]![key]})`;
      rows.push({ name: `${structure}.${key}`, expression, macro: null, expected });
    }
  }
  return rows;
}
