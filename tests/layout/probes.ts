/** What to ask a system's headers about its table: one C expression for every number in it. */

import type { Layout, System } from "../../ffi/libc/system.ts";
import { networkProbes } from "./network_probes.ts";

/** One number of a table and how C spells it. */
export interface Probe {
  /** What a report calls it. */
  readonly name: string;
  /** What it is in C. */
  readonly expression: string;
  /** A macro that the headers may lack; null where the expression always compiles. */
  readonly macro: string | null;
  /** What the table has. Null where it says that the system has none. */
  readonly expected: number | null;
}

/** Level of an option, by the first part of its name. */
const LEVELS: Readonly<Record<string, string>> = {
  SO: "SOL_SOCKET",
  IP: "IPPROTO_IP",
  IPV6: "IPPROTO_IPV6",
  TCP: "IPPROTO_TCP",
  UDP: "IPPROTO_UDP",
};

/** What the table calls by one name and the headers by another. */
const SPELLINGS: Readonly<Record<System["backend"], Readonly<Record<string, string>>>> = {
  epoll: { IP_TTL_MESSAGE: "IP_TTL", IP_TOS_MESSAGE: "IP_TOS", IP_TTL_SENT: "IP_TTL", IP_TOS_SENT: "IP_TOS" },
  kqueue: { IP_TTL_MESSAGE: "IP_RECVTTL", IP_TOS_MESSAGE: "IP_RECVTOS", SCM_CREDENTIALS: "SCM_CREDS" },
};

const MACOS_SPELLINGS: Readonly<Record<string, string>> = { SO_LINGER: "SO_LINGER_SEC", TCP_KEEPIDLE: "TCP_KEEPALIVE" };

/** Members of struct tcp_info that are called otherwise there. */
const TCP_INFO_SPELLINGS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  macOS: {
    snd_mss: "tcpi_maxseg",
    rcv_mss: "tcpi_maxseg",
    rtt: "tcpi_srtt",
    bytes_sent: "tcpi_txbytes",
    bytes_received: "tcpi_rxbytes",
    bytes_retrans: "tcpi_txretransmitbytes",
    total_retrans: "tcpi_txretransmitpackets",
  },
  FreeBSD: { total_retrans: "tcpi_snd_rexmitpack" },
};

/** Constants of the other mechanism: FreeBSD has an eventfd(2) too, and the table leaves it out. */
const FOREIGN: Readonly<Record<System["backend"], RegExp>> = {
  epoll: /^(EV_|EVFILT_|NOTE_)/,
  kqueue: /^(EPOLL|EFD_)/,
};

/** The members of a structure in C, by what the table calls their offset or, ending in "Size", their width. */
type Members = Readonly<Record<string, string>>;

const STRUCTURES: Readonly<Record<Exclude<keyof Layout, "sockaddrHasLength" | "tcp_info">, Members>> = {
  sockaddr_un: { path: "sun_path", pathSize: "sun_path" },
  msghdr: {
    name: "msg_name",
    namelen: "msg_namelen",
    iov: "msg_iov",
    iovlen: "msg_iovlen",
    iovlenSize: "msg_iovlen",
    control: "msg_control",
    controllen: "msg_controllen",
    controllenSize: "msg_controllen",
    flags: "msg_flags",
  },
  mmsghdr: { len: "msg_len" },
  cmsghdr: { lenSize: "cmsg_len", level: "cmsg_level", type: "cmsg_type" },
  addrinfo: {
    flags: "ai_flags",
    family: "ai_family",
    socktype: "ai_socktype",
    protocol: "ai_protocol",
    addrlen: "ai_addrlen",
    addr: "ai_addr",
    canonname: "ai_canonname",
    next: "ai_next",
  },
  group_req: { interface: "gr_interface", group: "gr_group" },
  group_source_req: { interface: "gsr_interface", group: "gsr_group", source: "gsr_source" },
  ip_mreq_source: { interface: "imr_interface", source: "imr_sourceaddr" },
  stat: { dev: "st_dev", devSize: "st_dev", ino: "st_ino", mode: "st_mode", modeSize: "st_mode" },
  timeval: { usec: "tv_usec", usecSize: "tv_usec" },
  ucred: { pid: "pid", uid: "uid", gid: "gid" },
  epoll_event: { data: "data" },
  kevent: {
    ident: "ident",
    filter: "filter",
    flags: "flags",
    fflags: "fflags",
    data: "data",
    udata: "udata",
  },
};

/** What is the same on every system, so that no table has it: ffi/struct writes these numbers into its code. */
const COMMON: Readonly<Record<string, number>> = {
  "sizeof(size_t)": 8,
  "sizeof(void *)": 8,
  "sizeof(socklen_t)": 4,
  "sizeof(struct sockaddr_storage)": 128,
  "sizeof(struct sockaddr_in)": 16,
  "offsetof(struct sockaddr_in, sin_port)": 2,
  "offsetof(struct sockaddr_in, sin_addr)": 4,
  "sizeof(struct sockaddr_in6)": 28,
  "offsetof(struct sockaddr_in6, sin6_port)": 2,
  "offsetof(struct sockaddr_in6, sin6_flowinfo)": 4,
  "offsetof(struct sockaddr_in6, sin6_addr)": 8,
  "offsetof(struct sockaddr_in6, sin6_scope_id)": 24,
  "sizeof(struct iovec)": 16,
  "offsetof(struct iovec, iov_base)": 0,
  "offsetof(struct iovec, iov_len)": 8,
  "sizeof(struct in6_pktinfo)": 20,
  "offsetof(struct in6_pktinfo, ipi6_addr)": 0,
  "offsetof(struct in6_pktinfo, ipi6_ifindex)": 16,
  "sizeof(struct ip_mreqn)": 12,
  "offsetof(struct ip_mreqn, imr_multiaddr)": 0,
  "offsetof(struct ip_mreqn, imr_address)": 4,
  "offsetof(struct ip_mreqn, imr_ifindex)": 8,
  "offsetof(struct ip_mreq_source, imr_multiaddr)": 0,
  "sizeof(struct ipv6_mreq)": 20,
  "offsetof(struct ipv6_mreq, ipv6mr_multiaddr)": 0,
  "offsetof(struct ipv6_mreq, ipv6mr_interface)": 16,
  "sizeof(struct linger)": 8,
  "offsetof(struct linger, l_onoff)": 0,
  "offsetof(struct linger, l_linger)": 4,
  "sizeof(struct pollfd)": 8,
  "offsetof(struct pollfd, fd)": 0,
  "offsetof(struct pollfd, events)": 4,
  "offsetof(struct pollfd, revents)": 6,
  "sizeof(struct timespec)": 16,
  "offsetof(struct timespec, tv_sec)": 0,
  "offsetof(struct timespec, tv_nsec)": 8,
};

/** The same wherever there is an IP_PKTINFO at all. */
const IN_PKTINFO: Readonly<Record<string, number>> = {
  "sizeof(struct in_pktinfo)": 12,
  "offsetof(struct in_pktinfo, ipi_ifindex)": 0,
  "offsetof(struct in_pktinfo, ipi_spec_dst)": 4,
  "offsetof(struct in_pktinfo, ipi_addr)": 8,
};

/** Structures of Linux alone, whose numbers ffi/struct writes into its code. */
const LINUX: Readonly<Record<string, number>> = {
  "sizeof(struct sock_extended_err)": 16,
  "offsetof(struct sock_extended_err, ee_errno)": 0,
  "offsetof(struct sock_extended_err, ee_origin)": 4,
  "offsetof(struct sock_extended_err, ee_type)": 5,
  "offsetof(struct sock_extended_err, ee_code)": 6,
  "offsetof(struct sock_extended_err, ee_info)": 8,
  "offsetof(struct sock_extended_err, ee_data)": 12,
  "(char *)SO_EE_OFFENDER((struct sock_extended_err *)0) - (char *)0": 16,
  "sizeof(struct scm_timestamping)": 48,
  "SO_EE_ORIGIN_LOCAL": 1,
  "SO_EE_ORIGIN_ICMP": 2,
  "SO_EE_ORIGIN_ICMP6": 3,
  "SO_EE_ORIGIN_TIMESTAMPING": 4,
  "SOF_TIMESTAMPING_TX_SOFTWARE": 1 << 1,
  "SOF_TIMESTAMPING_SOFTWARE": 1 << 4,
  "SOF_TIMESTAMPING_OPT_ID": 1 << 7,
  "SOF_TIMESTAMPING_OPT_TSONLY": 1 << 11,
  "SK_MEMINFO_DROPS": 8,
  "sizeof(struct sock_filter)": 8,
  "offsetof(struct sock_filter, code)": 0,
  "offsetof(struct sock_filter, jt)": 2,
  "offsetof(struct sock_filter, jf)": 3,
  "offsetof(struct sock_filter, k)": 4,
  "sizeof(struct sock_fprog)": 16,
  "offsetof(struct sock_fprog, len)": 0,
  "offsetof(struct sock_fprog, filter)": 8,
};

/** Every question the table answers. */
export function probes(system: System): Probe[] {
  const common = {
    ...COMMON,
    ...(system.options.IP_PKTINFO === null ? {} : IN_PKTINFO),
    ...(system.backend === "epoll" ? LINUX : {}),
  };
  return [
    ...Object.entries(common).map(([expression, expected]) => ({
      name: expression,
      expression,
      macro: null,
      expected,
    })),
    ...constantProbes(system),
    ...optionProbes(system),
    ...layoutProbes(system.layout),
    ...networkProbes(system),
    ...tcpInfoProbes(system),
    ...Object.entries(system.errors).map(([name, number]) => macroProbe(name, name, number)),
    ...Object.entries(system.resolverErrors).map(([name, number]) => macroProbe(name, name, number)),
  ];
}

function macroProbe(name: string, spelling: string, expected: number | null): Probe {
  return {
    name: name === spelling ? name : `${name} (${spelling})`,
    expression: spelling,
    macro: spelling,
    expected,
  };
}

function spell(system: System, name: string): string {
  const spellings = system.name.startsWith("macOS")
    ? { ...SPELLINGS[system.backend], ...MACOS_SPELLINGS }
    : SPELLINGS[system.backend];
  return spellings[name] ?? name;
}

function constantProbes(system: System): Probe[] {
  return Object.entries(system.constants)
    .filter(([name]) => !FOREIGN[system.backend].test(name))
    .map(([name, number]) => macroProbe(name, spell(system, name), number === 0 ? null : number));
}

function optionProbes(system: System): Probe[] {
  return Object.entries(system.options).flatMap(([name, option]) => {
    const spelling = spell(system, name);
    if (option === null) return [macroProbe(name, spelling, null)];
    const level = LEVELS[name.slice(0, name.indexOf("_"))]!;
    return [
      macroProbe(name, spelling, option.name),
      { name: `${name} level`, expression: level, macro: spelling, expected: option.level },
    ];
  });
}

function layoutProbes(layout: Layout): Probe[] {
  const rows: Probe[] = [
    {
      name: "sockaddrHasLength",
      expression: "offsetof(struct sockaddr, sa_family)",
      macro: null,
      expected: layout.sockaddrHasLength ? 1 : 0,
    },
  ];
  for (const [name, members] of Object.entries(STRUCTURES) as [keyof typeof STRUCTURES, Members][]) {
    const structure = layout[name];
    if (structure !== null) {
      rows.push(...structureProbes(name, members, structure));
    }
  }
  return rows;
}

function tcpInfoProbes({ name, layout }: System): Probe[] {
  const [family] = name.split(" ");
  const structure = family === "macOS" ? "tcp_connection_info" : "tcp_info";
  const spellings = TCP_INFO_SPELLINGS[family!] ?? {};
  return Object.entries(layout.tcp_info).filter(([, offset]) => offset !== null).map(([member, expected]) => {
    const expression = memberExpression(structure, member, spellings[member] ?? `tcpi_${member}`);
    return { name: `tcp_info.${member}`, expression, macro: null, expected };
  });
}

function structureProbes(name: string, members: Members, structure: Readonly<Record<string, number>>): Probe[] {
  return Object.entries(structure).map(([key, expected]) => {
    const member = members[key];
    return { name: `${name}.${key}`, expression: memberExpression(name, key, member), macro: null, expected };
  });
}

function memberExpression(structure: string, key: string, member: string | undefined): string {
  if (key === "size") return `sizeof(struct ${structure})`;
  if (key === "align") return "CMSG_SPACE(1) - CMSG_SPACE(0)";
  if (member === undefined) throw new Error(`No C expression for "${structure}.${key}": add it to STRUCTURES`);
  return key.endsWith("Size")
    ? `sizeof(((struct ${structure} *)0)->${member})`
    : `offsetof(struct ${structure}, ${member})`;
}
