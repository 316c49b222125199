/** How the bytes of an option's value are laid out. "byte" forms are what BSD wants where Linux takes an int. */
export type OptionEncoding = "int" | "boolean" | "byte" | "byte boolean" | "linger" | "string";

/** The arguments setsockopt(2) wants for one option. */
export interface OptionNumber {
  readonly level: number;
  readonly name: number;
  readonly encoding: OptionEncoding;
}

/** The options the module names, spelled as the headers spell them. */
export type OptionName =
  | "SO_REUSEADDR"
  | "SO_REUSEPORT"
  | "SO_REUSEPORT_LB"
  | "SO_BROADCAST"
  | "SO_KEEPALIVE"
  | "SO_LINGER"
  | "SO_RCVBUF"
  | "SO_SNDBUF"
  | "SO_ERROR"
  | "SO_TYPE"
  | "SO_DOMAIN"
  | "SO_PROTOCOL"
  | "SO_ACCEPTCONN"
  | "SO_BINDTODEVICE"
  | "SO_MARK"
  | "SO_PRIORITY"
  | "SO_BUSY_POLL"
  | "SO_INCOMING_CPU"
  | "SO_PASSCRED"
  | "SO_TIMESTAMP"
  | "SO_TIMESTAMPNS"
  | "SO_RXQ_OVFL"
  | "IP_TTL"
  | "IP_TOS"
  | "IP_FREEBIND"
  | "IP_TRANSPARENT"
  | "IP_MULTICAST_TTL"
  | "IP_MULTICAST_LOOP"
  | "IP_MULTICAST_ALL"
  | "IP_PKTINFO"
  | "IP_RECVDSTADDR"
  | "IP_RECVIF"
  | "IP_RECVTTL"
  | "IP_RECVTOS"
  | "IPV6_V6ONLY"
  | "IPV6_UNICAST_HOPS"
  | "IPV6_MULTICAST_HOPS"
  | "IPV6_MULTICAST_LOOP"
  | "IPV6_MULTICAST_IF"
  | "IPV6_MULTICAST_ALL"
  | "IPV6_TCLASS"
  | "IPV6_RECVPKTINFO"
  | "IPV6_RECVHOPLIMIT"
  | "IPV6_RECVTCLASS"
  | "TCP_NODELAY"
  | "TCP_MAXSEG"
  | "TCP_KEEPIDLE"
  | "TCP_KEEPINTVL"
  | "TCP_KEEPCNT"
  | "TCP_USER_TIMEOUT"
  | "TCP_DEFER_ACCEPT"
  | "TCP_FASTOPEN"
  | "TCP_QUICKACK"
  | "TCP_CORK"
  | "TCP_CONGESTION"
  | "UDP_SEGMENT"
  | "UDP_GRO";

/** Numbers that every supported system has, each under its own value. */
export interface Constants {
  readonly AF_UNSPEC: number;
  readonly AF_UNIX: number;
  readonly AF_INET: number;
  readonly AF_INET6: number;
  readonly SOCK_STREAM: number;
  readonly SOCK_DGRAM: number;
  readonly SOCK_RAW: number;
  readonly SOCK_SEQPACKET: number;
  /** Zero where socket(2) takes no flags in its type: the descriptor is then set up by fcntl(2). */
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
  /** Type of the control message that carries a timestamp, for SO_TIMESTAMP and SO_TIMESTAMPNS. */
  readonly SCM_TIMESTAMP: number;
  readonly SCM_TIMESTAMPNS: number;
  /** Control messages that say where a datagram was sent to and how it came; zero where the system has another. */
  readonly IP_PKTINFO: number;
  readonly IP_RECVDSTADDR: number;
  readonly IP_RECVIF: number;
  /** Type of the control message that carries the TTL: IP_TTL on Linux, IP_RECVTTL elsewhere. */
  readonly IP_TTL_MESSAGE: number;
  /** Type of the control message that carries the TOS: IP_TOS on Linux, IP_RECVTOS elsewhere. */
  readonly IP_TOS_MESSAGE: number;
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
  readonly SO_PEERCRED: number;
  /** macOS: level and names of LOCAL_PEERCRED's family; zero elsewhere. */
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
  /** Linux's epoll and eventfd; zero elsewhere. */
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
  /** kqueue; zero elsewhere. */
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

/** Sizes and offsets in bytes. `…Size` is the width of that one member. */
export interface Layout {
  /** BSD's sockaddr begins with its own length in a byte, and the family is a byte too. */
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
  /** A msghdr with the received length behind it; null where recvmmsg(2) is not. */
  readonly mmsghdr: { readonly size: number; readonly len: number } | null;
  readonly cmsghdr: {
    readonly size: number;
    readonly lenSize: 4 | 8;
    readonly level: number;
    readonly type: number;
    /** What CMSG_ALIGN rounds up to. */
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
  readonly timeval: { readonly size: number; readonly usec: number; readonly usecSize: 4 | 8 };
  /** Null where the system has none. */
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

/** Everything that differs between the systems the module runs on. One value of this type a system, picked once. */
export interface System {
  /** "Linux x86_64", for messages. */
  readonly name: string;
  /** What to open, in order: the loader's name first, then absolute paths, which scoped grants of --allow-ffi need. */
  readonly libraries: readonly string[];
  /** The function that gives errno's address. */
  readonly errnoLocation: "__errno_location" | "__error";
  readonly mechanism: "epoll" | "kqueue";
  /** How SO_REUSEPORT behaves: does it spread load, which option does, or does the last one bound take all? */
  readonly spreadsLoad: "SO_REUSEPORT" | "SO_REUSEPORT_LB" | null;
  /** Sharing a multicast port takes SO_REUSEPORT beside SO_REUSEADDR here. */
  readonly multicastNeedsReusePort: boolean;
  /** Names beginning with a NUL live outside the file system here. */
  readonly abstractUnixNames: boolean;
  /** Fixed arguments to put before a variadic one, so that it lands on the stack as Apple's arm64 convention wants. */
  readonly variadicOnStack: boolean;
  readonly constants: Constants;
  readonly options: Readonly<Record<OptionName, OptionNumber | null>>;
  readonly layout: Layout;
  /** errno numbers by name. */
  readonly errors: Readonly<Record<string, number>>;
  /** Results of getaddrinfo(3) by name. */
  readonly resolverErrors: Readonly<Record<string, number>>;
}
