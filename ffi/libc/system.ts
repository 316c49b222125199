import type { OptionTable } from "./option_table.ts";
import type { NetworkTable } from "./network.ts";

/** Constants of the system's headers. One that a system lacks is zero. */
export interface Constants {
  readonly AF_UNSPEC: number;
  readonly AF_UNIX: number;
  readonly AF_INET: number;
  readonly AF_INET6: number;
  readonly SOCK_STREAM: number;
  readonly SOCK_DGRAM: number;
  readonly SOCK_RAW: number;
  readonly SOCK_SEQPACKET: number;
  /** Zero where socket(2) takes no flags in its type; fcntl(2) then sets up the descriptor. */
  readonly SOCK_NONBLOCK: number;
  readonly SOCK_CLOEXEC: number;
  readonly SOL_SOCKET: number;
  readonly IPPROTO_IP: number;
  readonly IPPROTO_ICMP: number;
  readonly IPPROTO_TCP: number;
  readonly IPPROTO_UDP: number;
  readonly IPPROTO_IPV6: number;
  readonly SOMAXCONN: number;
  readonly SHUT_RD: number;
  readonly SHUT_WR: number;
  readonly SHUT_RDWR: number;
  readonly MSG_PEEK: number;
  readonly MSG_OOB: number;
  readonly MSG_DONTROUTE: number;
  readonly MSG_EOR: number;
  readonly MSG_WAITALL: number;
  readonly MSG_CONFIRM: number;
  readonly MSG_ERRQUEUE: number;
  readonly MSG_MORE: number;
  readonly MSG_TRUNC: number;
  readonly MSG_CTRUNC: number;
  readonly MSG_DONTWAIT: number;
  /** Zero where there is none. */
  readonly MSG_NOSIGNAL: number;
  readonly MSG_CMSG_CLOEXEC: number;
  readonly MSG_WAITFORONE: number;
  readonly SCM_RIGHTS: number;
  /** Type of the control message that carries the sender's credentials. */
  readonly SCM_CREDENTIALS: number;
  /** Type of the control message that carries a descriptor of the sender's process, for SO_PASSPIDFD; zero where there
   * is none. */
  readonly SCM_PIDFD: number;
  /** Type of the control message that carries a timestamp, for SO_TIMESTAMP and SO_TIMESTAMPNS. */
  readonly SCM_TIMESTAMP: number;
  readonly SCM_TIMESTAMPNS: number;
  /** Types of the control messages with a datagram's destination address and interface; zero where the system uses
   * another. */
  readonly IP_PKTINFO: number;
  readonly IP_RECVDSTADDR: number;
  readonly IP_RECVIF: number;
  /** Type of the control message that carries the TTL: IP_TTL on Linux, IP_RECVTTL elsewhere. */
  readonly IP_TTL_MESSAGE: number;
  /** Type of the control message that carries the TOS: IP_TOS on Linux, IP_RECVTOS elsewhere. */
  readonly IP_TOS_MESSAGE: number;
  /** Types of the control messages that set the TTL and the TOS of one datagram: IP_TTL and IP_TOS, zero where the system
   * takes none. */
  readonly IP_TTL_SENT: number;
  readonly IP_TOS_SENT: number;
  readonly IPV6_PKTINFO: number;
  readonly IPV6_HOPLIMIT: number;
  readonly IPV6_TCLASS: number;
  readonly IP_MULTICAST_IF: number;
  readonly IPV6_MULTICAST_IF: number;
  readonly MCAST_JOIN_GROUP: number;
  readonly MCAST_LEAVE_GROUP: number;
  readonly MCAST_BLOCK_SOURCE: number;
  readonly MCAST_UNBLOCK_SOURCE: number;
  readonly MCAST_JOIN_SOURCE_GROUP: number;
  readonly MCAST_LEAVE_SOURCE_GROUP: number;
  readonly IP_ADD_MEMBERSHIP: number;
  readonly IP_DROP_MEMBERSHIP: number;
  readonly IP_ADD_SOURCE_MEMBERSHIP: number;
  readonly IP_DROP_SOURCE_MEMBERSHIP: number;
  readonly IP_BLOCK_SOURCE: number;
  readonly IP_UNBLOCK_SOURCE: number;
  readonly IPV6_JOIN_GROUP: number;
  readonly IPV6_LEAVE_GROUP: number;
  /** Options of classic BPF programs; zero where the system has none. */
  readonly SO_ATTACH_FILTER: number;
  readonly SO_DETACH_FILTER: number;
  readonly SO_LOCK_FILTER: number;
  readonly SO_ATTACH_REUSEPORT_CBPF: number;
  /** Options that tell more of a peer; zero where the system has none. */
  readonly SO_PEERGROUPS: number;
  readonly SO_PEERPIDFD: number;
  /** Timestamps of what was sent; zero where there are none. */
  readonly SO_TIMESTAMPING: number;
  readonly SCM_TIMESTAMPING: number;
  /** What waits in a socket's queues, and what was dropped from them; zero where the system does not tell. SIOCINQ and
   * SIOCOUTQ are FIONREAD and FIONWRITE on FreeBSD. */
  readonly SO_MEMINFO: number;
  readonly SIOCINQ: number;
  readonly SIOCOUTQ: number;
  readonly SO_PEERCRED: number;
  /** Level and name of LOCAL_PEERPID on macOS; zero elsewhere. */
  readonly SOL_LOCAL: number;
  readonly LOCAL_PEERPID: number;
  readonly F_GETFD: number;
  readonly F_SETFD: number;
  readonly F_GETFL: number;
  readonly F_SETFL: number;
  readonly F_DUPFD_CLOEXEC: number;
  readonly FD_CLOEXEC: number;
  readonly O_NONBLOCK: number;
  readonly O_CLOEXEC: number;
  readonly LOCK_EX: number;
  readonly LOCK_NB: number;
  readonly POLLIN: number;
  readonly POLLOUT: number;
  readonly POLLERR: number;
  readonly POLLHUP: number;
  readonly POLLNVAL: number;
  readonly AI_NUMERICHOST: number;
  readonly AI_ADDRCONFIG: number;
  /** epoll(7) and eventfd(2) of Linux; zero elsewhere. */
  readonly EPOLL_CLOEXEC: number;
  readonly EPOLL_CTL_ADD: number;
  readonly EPOLL_CTL_DEL: number;
  readonly EPOLL_CTL_MOD: number;
  readonly EPOLLIN: number;
  readonly EPOLLPRI: number;
  readonly EPOLLOUT: number;
  readonly EPOLLERR: number;
  readonly EPOLLHUP: number;
  readonly EPOLLRDHUP: number;
  readonly EPOLLET: number;
  readonly EFD_CLOEXEC: number;
  readonly EFD_NONBLOCK: number;
  /** kqueue(2) of macOS and FreeBSD; zero elsewhere. */
  readonly EVFILT_READ: number;
  readonly EVFILT_WRITE: number;
  readonly EVFILT_USER: number;
  readonly EV_ADD: number;
  readonly EV_DELETE: number;
  readonly EV_CLEAR: number;
  readonly EV_EOF: number;
  readonly EV_ERROR: number;
  readonly NOTE_TRIGGER: number;
}

/** The members of struct tcp_info that are read, without their prefix. */
export type TcpInfoMember =
  | "state"
  | "retransmits"
  | "rto"
  | "snd_mss"
  | "rcv_mss"
  | "unacked"
  | "lost"
  | "pmtu"
  | "rtt"
  | "rttvar"
  | "snd_ssthresh"
  | "snd_cwnd"
  | "total_retrans"
  | "pacing_rate"
  | "bytes_acked"
  | "bytes_received"
  | "notsent_bytes"
  | "min_rtt"
  | "delivery_rate"
  | "bytes_sent"
  | "bytes_retrans";

/** Sizes and offsets of structures, in bytes. `…Size` is the width of one member. */
export interface Layout {
  /** Whether a sockaddr begins with a length byte and a family byte (BSD) or with a family of two bytes (Linux). */
  readonly sockaddrHasLength: boolean;
  readonly sockaddr_un: { readonly size: number; readonly path: number; readonly pathSize: number };
  readonly msghdr: {
    readonly size: number;
    readonly name: number;
    readonly namelen: number;
    readonly iov: number;
    readonly iovlen: number;
    readonly iovlenSize: 4 | 8;
    readonly control: number;
    readonly controllen: number;
    readonly controllenSize: 4 | 8;
    readonly flags: number;
  };
  /** A msghdr followed by the length of the message; null where the system has no recvmmsg(2). */
  readonly mmsghdr: { readonly size: number; readonly len: number } | null;
  readonly cmsghdr: {
    readonly size: number;
    readonly lenSize: 4 | 8;
    readonly level: number;
    readonly type: number;
    /** The alignment of CMSG_ALIGN. */
    readonly align: number;
  };
  readonly addrinfo: {
    readonly size: number;
    readonly flags: number;
    readonly family: number;
    readonly socktype: number;
    readonly protocol: number;
    readonly addrlen: number;
    readonly addr: number;
    readonly canonname: number;
    readonly next: number;
  };
  readonly group_req: { readonly size: number; readonly interface: number; readonly group: number };
  readonly group_source_req: {
    readonly size: number;
    readonly interface: number;
    readonly group: number;
    readonly source: number;
  };
  readonly ip_mreq_source: { readonly size: number; readonly interface: number; readonly source: number };
  /** Members of struct stat; `ino` has 64 bits. */
  readonly stat: {
    readonly size: number;
    readonly dev: number;
    readonly devSize: 4 | 8;
    readonly ino: number;
    readonly mode: number;
    readonly modeSize: 2 | 4;
  };
  /** What TCP_INFO returns; null for a member that the system does not have or does not fill. */
  readonly tcp_info: Readonly<Record<TcpInfoMember, number | null>>;
  readonly timeval: { readonly size: number; readonly usec: number; readonly usecSize: 4 | 8 };
  /** Null where the system has no such structure, like the two below. */
  readonly ucred: { readonly size: number; readonly pid: number; readonly uid: number; readonly gid: number } | null;
  readonly epoll_event: { readonly size: number; readonly data: number } | null;
  readonly kevent: {
    readonly size: number;
    readonly ident: number;
    readonly filter: number;
    readonly flags: number;
    readonly fflags: number;
    readonly data: number;
    readonly udata: number;
  } | null;
}

/** Everything that differs between the supported systems. There is one value of this type for each system, chosen once
 * by `thisSystem()`. */
export interface System {
  /** Name for messages, such as "Linux x86_64". */
  readonly name: string;
  /** The names of the C library to try, in this order: first the name that the loader resolves, then absolute paths,
   * which scoped grants of --allow-ffi need. */
  readonly libraries: readonly string[];
  /** The function that returns the address of errno. */
  readonly errnoLocation: "__errno_location" | "__error";
  /** The system call behind the Poller. */
  readonly backend: "epoll" | "kqueue";
  /** The file that says in which system call the thread that opened it is blocked: proc_pid_syscall(5). */
  readonly threadSyscallPath: string | null;
  /** The option that spreads load over the sockets of one port; null where none does and the last socket bound receives
   * everything. */
  readonly reusePortOption: "SO_REUSEPORT" | "SO_REUSEPORT_LB" | null;
  /** Whether sharing a multicast port takes SO_REUSEPORT in addition to SO_REUSEADDR. */
  readonly multicastNeedsReusePort: boolean;
  /** Whether Unix sockets can have abstract names, which begin with a NUL and are not in the file system: unix(7). */
  readonly abstractUnixNames: boolean;
  /** Whether descriptors that come with a message are opened in the receiver even where it gave no room for control
   * messages: it then has to give room, and to close them. */
  readonly installsUnaskedDescriptors: boolean;
  /** Whether recvmsg(2) with MSG_PEEK and MSG_TRUNC returns the length of the whole message, however short the buffer. */
  readonly peekReturnsWholeLength: boolean;
  /** Whether recvmsg(2) returns the flags of the call in msg_flags, MSG_TRUNC too, beside those of the message. */
  readonly echoesReceiveFlags: boolean;
  /** Whether a read from a stream that was shorter than its buffer has taken all there was, or else the poller reports
   * what lies behind. A kqueue(2) reports nothing of what lies behind urgent data. */
  readonly shortReadDrains: boolean;
  /** Whether datagrams longer than SO_SNDBUF are refused (EMSGSIZE) where that is small by default: 9,216 bytes, and
   * 2,048 for Unix sockets. Those receive no more than SO_RCVBUF either, 4,096 bytes (ENOBUFS). */
  readonly smallDatagramBuffers: boolean;
  /** Whether Unix sockets of type SOCK_SEQPACKET exist. */
  readonly seqpacketSockets: boolean;
  /** Whether a socket's mode before bind(2), by fchmod(2), is that of the file it is bound to. */
  readonly bindKeepsMode: boolean;
  /** Whether sendfile(2) has the parameters of Linux. Others are not called: the bytes are copied instead. */
  readonly sendsFiles: boolean;
  /** Whether variadic arguments are passed on the stack, as in Apple's arm64 calling convention. */
  readonly variadicOnStack: boolean;
  /** How TCP_INFO is read. */
  readonly tcpInfo: {
    /** Its number: TCP_INFO, or TCP_CONNECTION_INFO on macOS. */
    readonly option: number;
    /** Milliseconds of one unit of time. */
    readonly time: number;
    /** Whether the congestion window and the slow start threshold are in bytes instead of segments. */
    readonly windowsInBytes: boolean;
    /** The states of a connection, by their numbers, as RFC 9293 names them. */
    readonly states: readonly string[];
  };
  readonly constants: Constants;
  readonly options: OptionTable;
  readonly layout: Layout;
  /** Interfaces, their changes, and options of the same subject. */
  readonly network: NetworkTable;
  /** errno numbers by name. */
  readonly errors: Readonly<Record<string, number>>;
  /** Error codes of getaddrinfo(3) by name. */
  readonly resolverErrors: Readonly<Record<string, number>>;
}
