/** The functions the module calls, as Deno wants them declared. Beside each parameter stands its C declaration.
 *
 * Lengths of sockets' own structures are 32-bit in C too (socklen_t). Where C has a size_t, the parameter is a BigInt,
 * which is why none of those stands on a hot path: data goes through recvmsg and sendmsg, whose structures hold the
 * lengths.
 *
 * An array passed as a "buffer" is held by the call until it returns, on whichever thread, and the FFI reads its memory
 * from the engine's own slots. Addresses inside structures are held by the owner of the structure alone: Message
 * (io/message.ts) and MessageVector (udp/mmsg.ts) say what keeps them alive and what proves that they are still ours. */
export const symbols = {
  socket: {
    parameters: ["i32", /* int domain */ "i32", /* int type */ "i32" /* int protocol */],
    result: "i32",
  },
  socketpair: {
    parameters: ["i32", /* int domain */ "i32", /* int type */ "i32", /* int protocol */ "buffer" /* int sv[2] */],
    result: "i32",
  },
  bind: {
    parameters: ["i32", /* int sockfd */ "buffer", /* const struct sockaddr *addr */ "u32" /* socklen_t addrlen */],
    result: "i32",
  },
  connect: {
    parameters: ["i32", /* int sockfd */ "buffer", /* const struct sockaddr *addr */ "u32" /* socklen_t addrlen */],
    result: "i32",
  },
  listen: {
    parameters: ["i32", /* int sockfd */ "i32" /* int backlog */],
    result: "i32",
  },
  accept: {
    parameters: ["i32", /* int sockfd */ "buffer", /* struct sockaddr *addr */ "buffer" /* socklen_t *addrlen */],
    result: "i32",
  },
  accept4: {
    parameters: [
      "i32", /* int sockfd */
      "buffer", /* struct sockaddr *addr */
      "buffer", /* socklen_t *addrlen */
      "i32", /* int flags */
    ],
    result: "i32",
    optional: true,
  },
  getsockname: {
    parameters: ["i32", /* int sockfd */ "buffer", /* struct sockaddr *addr */ "buffer" /* socklen_t *addrlen */],
    result: "i32",
  },
  getpeername: {
    parameters: ["i32", /* int sockfd */ "buffer", /* struct sockaddr *addr */ "buffer" /* socklen_t *addrlen */],
    result: "i32",
  },
  setsockopt: {
    parameters: [
      "i32", /* int sockfd */
      "i32", /* int level */
      "i32", /* int optname */
      "buffer", /* const void *optval */
      "u32", /* socklen_t optlen */
    ],
    result: "i32",
  },
  getsockopt: {
    parameters: [
      "i32", /* int sockfd */
      "i32", /* int level */
      "i32", /* int optname */
      "buffer", /* void *optval */
      "buffer", /* socklen_t *optlen */
    ],
    result: "i32",
  },
  recvmsg: {
    parameters: ["i32", /* int sockfd */ "pointer", /* struct msghdr *msg */ "i32" /* int flags */],
    result: "i32",
  },
  sendmsg: {
    parameters: ["i32", /* int sockfd */ "pointer", /* const struct msghdr *msg */ "i32" /* int flags */],
    result: "i32",
  },
  recv: {
    parameters: ["i32", /* int sockfd */ "buffer", /* void *buf */ "usize", /* size_t len */ "i32" /* int flags */],
    result: "i32",
  },
  send: {
    parameters: ["i32", /* int sockfd */ "buffer", /* const void *buf */ "usize", /* size_t len */ "i32" /* flags */],
    result: "i32",
  },
  recvfrom: {
    parameters: [
      "i32", /* int sockfd */
      "buffer", /* void *buf */
      "usize", /* size_t len */
      "i32", /* int flags */
      "buffer", /* struct sockaddr *src_addr */
      "buffer", /* socklen_t *addrlen */
    ],
    result: "i32",
  },
  recvmmsg: {
    parameters: [
      "i32", /* int sockfd */
      "pointer", /* struct mmsghdr *msgvec */
      "u32", /* unsigned int vlen */
      "i32", /* int flags */
      "pointer", /* struct timespec *timeout */
    ],
    result: "i32",
    optional: true,
  },
  sendmmsg: {
    parameters: [
      "i32", /* int sockfd */
      "pointer", /* struct mmsghdr *msgvec */
      "u32", /* unsigned int vlen */
      "i32", /* int flags */
    ],
    result: "i32",
    optional: true,
  },
  shutdown: {
    parameters: ["i32", /* int sockfd */ "i32" /* int how */],
    result: "i32",
  },
  close: {
    parameters: ["i32" /* int fd */],
    result: "i32",
  },
  close_blocking: {
    name: "close",
    parameters: ["i32"],
    result: "i32",
    nonblocking: true,
  },
  fcntl: {
    parameters: ["i32", /* int fd */ "i32", /* int op */ "i32" /* int arg */],
    result: "i32",
  },
  /** fcntl(2) where a variadic argument has to lie on the stack: six registers' worth of padding push it there. */
  fcntl_on_stack: {
    name: "fcntl",
    parameters: ["i32", "i32", "i64", "i64", "i64", "i64", "i64", "i64", "i64" /* arg */],
    result: "i32",
  },
  poll: {
    parameters: ["buffer", /* struct pollfd *fds */ "u32", /* nfds_t nfds */ "i32" /* int timeout */],
    result: "i32",
  },
  poll_blocking: {
    name: "poll",
    parameters: ["buffer", "u32", "i32"],
    result: "i32",
    nonblocking: true,
  },
  ppoll: {
    parameters: [
      "buffer", /* struct pollfd *fds */
      "u32", /* nfds_t nfds */
      "buffer", /* const struct timespec *timeout */
      "pointer", /* const sigset_t *sigmask */
    ],
    result: "i32",
    optional: true,
  },
  epoll_create1: {
    parameters: ["i32" /* int flags */],
    result: "i32",
    optional: true,
  },
  epoll_ctl: {
    parameters: [
      "i32", /* int epfd */
      "i32", /* int op */
      "i32", /* int fd */
      "buffer", /* struct epoll_event *event */
    ],
    result: "i32",
    optional: true,
  },
  epoll_wait: {
    parameters: [
      "i32", /* int epfd */
      "buffer", /* struct epoll_event *events */
      "i32", /* int maxevents */
      "i32", /* int timeout */
    ],
    result: "i32",
    optional: true,
  },
  epoll_wait_blocking: {
    name: "epoll_wait",
    parameters: ["i32", "buffer", "i32", "i32"],
    result: "i32",
    nonblocking: true,
    optional: true,
  },
  eventfd: {
    parameters: ["u32", /* unsigned int initval */ "i32" /* int flags */],
    result: "i32",
    optional: true,
  },
  kqueue: {
    parameters: [],
    result: "i32",
    optional: true,
  },
  kevent: {
    parameters: [
      "i32", /* int kq */
      "buffer", /* const struct kevent *changelist */
      "i32", /* int nchanges */
      "buffer", /* struct kevent *eventlist */
      "i32", /* int nevents */
      "buffer", /* const struct timespec *timeout */
    ],
    result: "i32",
    optional: true,
  },
  kevent_blocking: {
    name: "kevent",
    parameters: ["i32", "buffer", "i32", "buffer", "i32", "buffer"],
    result: "i32",
    nonblocking: true,
    optional: true,
  },
  sched_yield: {
    parameters: [],
    result: "i32",
  },
  read: {
    parameters: ["i32", /* int fd */ "buffer", /* void *buf */ "usize" /* size_t count */],
    result: "i32",
  },
  pread_blocking: {
    name: "pread",
    parameters: ["i32", /* int fd */ "buffer", /* void *buf */ "usize", /* size_t count */ "i64" /* off_t offset */],
    result: "i32",
    nonblocking: true,
  },
  readlink: {
    parameters: ["buffer", /* const char *path */ "buffer", /* char *buf */ "usize" /* size_t bufsiz */],
    result: "i32",
  },
  write: {
    parameters: ["i32", /* int fd */ "buffer", /* const void *buf */ "usize" /* size_t count */],
    result: "i32",
  },
  lseek: {
    parameters: ["i32", /* int fd */ "i64", /* off_t offset */ "i32" /* int whence */],
    result: "i64",
  },
  pread: {
    parameters: ["i32", /* int fd */ "buffer", /* void *buf */ "usize", /* size_t count */ "i64" /* off_t offset */],
    result: "i32",
  },
  /** sendfile(2) of Linux. */
  sendfile: {
    parameters: [
      "i32", /* int out_fd */
      "i32", /* int in_fd */
      "buffer", /* off_t *offset */
      "usize", /* size_t count */
    ],
    result: "i32",
    optional: true,
  },
  getaddrinfo: {
    parameters: [
      "buffer", /* const char *node */
      "buffer", /* const char *service */
      "buffer", /* const struct addrinfo *hints */
      "buffer", /* struct addrinfo **res */
    ],
    result: "i32",
  },
  getaddrinfo_blocking: {
    name: "getaddrinfo",
    parameters: ["buffer", "buffer", "buffer", "buffer"],
    result: "i32",
    nonblocking: true,
  },
  freeaddrinfo: {
    parameters: ["usize" /* struct addrinfo *res */],
    result: "void",
  },
  if_nametoindex: {
    parameters: ["buffer" /* const char *ifname */],
    result: "u32",
  },
  if_indextoname: {
    parameters: ["u32", /* unsigned int ifindex */ "buffer" /* char *ifname */],
    result: "usize",
  },
  getifaddrs: {
    parameters: ["buffer" /* struct ifaddrs **ifap */],
    result: "i32",
  },
  freeifaddrs: {
    parameters: ["usize" /* struct ifaddrs *ifa */],
    result: "void",
  },
  /** ioctl(2) with a pointer. It is variadic: not for systems with `variadicOnStack`. */
  ioctl: {
    parameters: ["i32", /* int fd */ "usize", /* unsigned long op */ "buffer" /* void *argp */],
    result: "i32",
  },
  strlen: {
    parameters: ["usize" /* const char *s */],
    result: "usize",
  },
  getpeereid: {
    parameters: ["i32", /* int s */ "buffer", /* uid_t *euid */ "buffer" /* gid_t *egid */],
    result: "i32",
    optional: true,
  },
  /** open(2) without a mode, which is all that is not variadic of it. */
  open: {
    parameters: ["buffer", /* const char *pathname */ "i32" /* int flags */],
    result: "i32",
  },
  /** fstat(2); before 2.33, glibc has it under another name only. */
  fstat: {
    parameters: ["i32", /* int fd */ "buffer" /* struct stat *statbuf */],
    result: "i32",
    optional: true,
  },
  /** The one with 64-bit inodes, which macOS on Intel has beside an older one. */
  fstat_inode64: {
    name: "fstat$INODE64",
    parameters: ["i32", "buffer"],
    result: "i32",
    optional: true,
  },
  flock: {
    parameters: ["i32", /* int fd */ "i32" /* int operation */],
    result: "i32",
  },
  umask: {
    parameters: ["u32" /* mode_t mask */],
    result: "u32",
  },
  fchmod: {
    parameters: ["i32", /* int fd */ "u32" /* mode_t mode */],
    result: "i32",
  },
  chmod: {
    parameters: ["buffer", /* const char *pathname */ "u32" /* mode_t mode */],
    result: "i32",
  },
  memcpy: {
    parameters: ["buffer", /* void *dest */ "usize", /* const void *src */ "usize" /* size_t n */],
    result: "usize",
  },
  /** memmove(3) of no bytes returns its first argument: the address of a buffer, under scoped grants too. */
  address_of: {
    name: "memmove",
    parameters: ["buffer", "buffer", "usize"],
    result: "usize",
  },
  pointer_to: {
    name: "memmove",
    parameters: ["buffer", "buffer", "usize"],
    result: "pointer",
  },
  __errno_location: {
    parameters: [],
    result: "pointer",
    optional: true,
  },
  __error: {
    parameters: [],
    result: "pointer",
    optional: true,
  },
  errno_address: {
    name: "__errno_location",
    parameters: [],
    result: "usize",
    optional: true,
  },
  error_address: {
    name: "__error",
    parameters: [],
    result: "usize",
    optional: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** The opened functions, as methods. */
export type Symbols = Deno.DynamicLibrary<typeof symbols>["symbols"];
