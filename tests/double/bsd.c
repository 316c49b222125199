/* A C library with the ABI of macOS on x86_64, or with -DFREEBSD of FreeBSD 12 and later on amd64, over Linux: the
 * functions that ffi/libc/symbols.ts binds, with the structures, constants and error numbers of those systems, and with
 * what their kernels do otherwise. Numbers and structures are written from <sys/socket.h>, <sys/un.h>, <sys/event.h>,
 * <sys/errno.h>, <netinet/in.h>, <netinet6/in6.h>, <netinet/tcp.h>, <netdb.h> and <fcntl.h> of XNU and FreeBSD, not from
 * the module's tables. bsd_kqueue.c and bsd_names.c have the rest; bsd.h has what they share.
 *
 * What the kernels do otherwise is marked "Habit" and has the number that tests/double/habits_test.ts gives it. */
#include "bsd.h"

#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

struct state states[MAX_FDS];
static __thread int error_number;

int *bsd_errno(void) EXPORTED("__error");
int *bsd_errno(void) { return &error_number; }

/* Error numbers by those of Linux. */
static const unsigned char errors[134] = {
  [EPERM] = 1, [ENOENT] = 2, [ESRCH] = 3, [EINTR] = 4, [EIO] = 5, [ENXIO] = 6, [E2BIG] = 7, [ENOEXEC] = 8, [EBADF] = 9,
  [ECHILD] = 10, [EDEADLK] = 11, [ENOMEM] = 12, [EACCES] = 13, [EFAULT] = 14, [EBUSY] = 16, [EEXIST] = 17, [EXDEV] = 18,
  [ENODEV] = 19, [ENOTDIR] = 20, [EISDIR] = 21, [EINVAL] = 22, [ENFILE] = 23, [EMFILE] = 24, [ENOTTY] = 25, [EFBIG] = 27,
  [ENOSPC] = 28, [ESPIPE] = 29, [EROFS] = 30, [EMLINK] = 31, [EPIPE] = 32, [EDOM] = 33, [ERANGE] = 34, [EAGAIN] = 35,
  [EINPROGRESS] = 36, [EALREADY] = 37, [ENOTSOCK] = 38, [EDESTADDRREQ] = 39, [EMSGSIZE] = 40, [EPROTOTYPE] = 41,
  [ENOPROTOOPT] = 42, [EPROTONOSUPPORT] = 43, [ESOCKTNOSUPPORT] = 44, [EPFNOSUPPORT] = 46, [EAFNOSUPPORT] = 47,
  [EADDRINUSE] = 48, [EADDRNOTAVAIL] = 49, [ENETDOWN] = 50, [ENETUNREACH] = 51, [ENETRESET] = 52, [ECONNABORTED] = 53,
  [ECONNRESET] = 54, [ENOBUFS] = 55, [EISCONN] = 56, [ENOTCONN] = 57, [ESHUTDOWN] = 58, [ETOOMANYREFS] = 59,
  [ETIMEDOUT] = 60, [ECONNREFUSED] = 61, [ELOOP] = 62, [ENAMETOOLONG] = 63, [EHOSTDOWN] = 64, [EHOSTUNREACH] = 65,
  [ENOTEMPTY] = 66, [ENOLCK] = 77, [ENOSYS] = 78, [EOVERFLOW] = 84,
  [EOPNOTSUPP] = MACOS_OR_FREEBSD(102, 45), [ECANCELED] = MACOS_OR_FREEBSD(89, 85), [EPROTO] = MACOS_OR_FREEBSD(100, 92),
};

int bsd_error(int linux_error) { return linux_error < 134 && errors[linux_error] != 0 ? errors[linux_error] : 5; }

long fail(int linux_error) {
  error_number = bsd_error(linux_error);
  return -1;
}

long checked(long result) { return result == -1 ? fail(errno) : result; }

struct state *state_of(int fd) {
  static struct state nobody;
  return fd >= 0 && fd < MAX_FDS ? &states[fd] : &nobody;
}

int int_option(int fd, int level, int name) {
  int value = -1;
  socklen_t length = sizeof value;
  return syscall(SYS_getsockopt, fd, level, name, &value, &length) == -1 ? -1 : value;
}

/* A descriptor that the system has just given out. Habit 10: small buffers for datagrams, longer ones are EMSGSIZE. */
void begin(int fd, int connected) {
  int domain = int_option(fd, SOL_SOCKET, SO_DOMAIN);
  int datagrams = int_option(fd, SOL_SOCKET, SO_TYPE) == SOCK_DGRAM;
  struct state fresh = { .connected = connected, .domain = domain, .datagrams = datagrams };
  fresh.send_buffer = !datagrams ? 0 : domain == AF_UNIX ? 2048 : 9216;
  fresh.receive_buffer = datagrams && domain == AF_UNIX ? MACOS_OR_FREEBSD(4096, 16384) : 0;
  *state_of(fd) = fresh;
  /* A socket receives of the groups that it has joined itself, of no others'. */
  if (datagrams && domain != AF_UNIX) syscall(SYS_setsockopt, fd, IPPROTO_IP, IP_MULTICAST_ALL, &(int) { 0 }, 4);
  if (datagrams && domain == AF_INET6) syscall(SYS_setsockopt, fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, &(int) { 0 }, 4);
}

/* Whether a connection has ended on both sides: its own and its peer's, or for good. */
int has_ended(int fd) {
  struct pollfd pollfd = { .fd = fd };
  struct timespec now = { 0 };
  if (!state_of(fd)->connected) return 0;
  syscall(SYS_ppoll, &pollfd, 1, &now, NULL, 8);
  return (pollfd.revents & POLLHUP) != 0;
}

/* Addresses. Both directions return the length; what does not fit is cut off, as the kernels do. */
socklen_t to_linux(struct sockaddr_storage *to, const uint8_t *from, socklen_t length) {
  memset(to, 0, sizeof *to);
  if (length > sizeof *to) length = sizeof *to;
  memcpy(to, from, length);
  to->ss_family = from[1] == BSD_AF_INET6 ? AF_INET6 : from[1];
  return length;
}

void to_bsd(uint8_t *to, socklen_t *room, const struct sockaddr_storage *from, socklen_t length) {
  uint8_t bytes[sizeof *from + 1] = { 0 };
  if (length > sizeof *from) length = sizeof *from;
  memcpy(bytes, from, length);
  /* The kernels' sun_noname: an unnamed Unix socket has an address of 16 bytes. */
  if (length == 2 && from->ss_family == AF_UNIX) length = 16;
  bytes[0] = length;
  bytes[1] = from->ss_family == AF_INET6 ? BSD_AF_INET6 : from->ss_family;
  memcpy(to, bytes, length < *room ? length : *room);
  *room = length;
}

unsigned long inode_of(const struct sockaddr_storage *address) {
  struct stat found;
  if (address->ss_family != AF_UNIX) return 0;
  return syscall(SYS_newfstatat, AT_FDCWD, ((const struct sockaddr_un *)address)->sun_path, &found, 0) == -1 ? 0 : found.st_ino;
}

/* Habit 10: no abstract names. The kernels look up the empty path, and find nothing. */
static int is_abstract(const struct sockaddr_storage *address, socklen_t length) {
  return address->ss_family == AF_UNIX && (length <= 2 || ((const char *)address)[2] == '\0');
}

static int open_socket(int number, int domain, int type, int protocol, int *pair) {
  int kind = type & ~(BSD_SOCK_NONBLOCK | BSD_SOCK_CLOEXEC);
  int flags = (type & BSD_SOCK_NONBLOCK ? SOCK_NONBLOCK : 0) | (type & BSD_SOCK_CLOEXEC ? SOCK_CLOEXEC : 0);
  int family = domain == BSD_AF_INET6 ? AF_INET6 : domain;
  if (domain != AF_UNIX && domain != AF_INET && domain != BSD_AF_INET6) return fail(EAFNOSUPPORT);
  if (protocol > 255) return fail(EPROTONOSUPPORT);
  /* Habit 10. */
  if (kind > 5 || (!FREEBSD && domain == AF_UNIX && kind == SOCK_SEQPACKET)) return fail(EPROTONOSUPPORT);
  int fd = checked(syscall(number, family, kind | flags, protocol, pair));
  if (fd != -1 && number == SYS_socket) begin(fd, 0);
  return fd;
}

int bsd_socket(int domain, int type, int protocol) EXPORTED("socket");
int bsd_socket(int domain, int type, int protocol) { return open_socket(SYS_socket, domain, type, protocol, NULL); }

int bsd_socketpair(int domain, int type, int protocol, int pair[2]) EXPORTED("socketpair");
int bsd_socketpair(int domain, int type, int protocol, int pair[2]) {
  if (open_socket(SYS_socketpair, domain, type, protocol, pair) == -1) return -1;
  for (int at = 0; at < 2; at++) {
    begin(pair[at], 1);
    state_of(pair[at])->other = pair[1 - at];
  }
  return 0;
}

int bsd_bind(int fd, const uint8_t *address, socklen_t length) EXPORTED("bind");
int bsd_bind(int fd, const uint8_t *address, socklen_t length) {
  struct sockaddr_storage to;
  length = to_linux(&to, address, length);
  if (is_abstract(&to, length)) return fail(ENOENT);
  int result = checked(syscall(SYS_bind, fd, &to, length));
  if (result == 0) state_of(fd)->inode = inode_of(&to);
  return result;
}

int bsd_connect(int fd, const uint8_t *address, socklen_t length) EXPORTED("connect");
int bsd_connect(int fd, const uint8_t *address, socklen_t length) {
  struct sockaddr_storage to;
  length = to_linux(&to, address, length);
  if (is_abstract(&to, length)) return fail(ENOENT);
  int result = syscall(SYS_connect, fd, &to, length);
  /* Habit 6: a full backlog refuses. */
  if (result == -1 && errno == EAGAIN && to.ss_family == AF_UNIX) return fail(ECONNREFUSED);
  state_of(fd)->connected |= result == 0 || errno == EINPROGRESS;
  return checked(result);
}

int bsd_listen(int fd, int backlog) EXPORTED("listen");
int bsd_listen(int fd, int backlog) { return checked(syscall(SYS_listen, fd, backlog)); }

static int accept_connection(int fd, uint8_t *address, socklen_t *room, int flags) {
  struct sockaddr_storage from, peer;
  socklen_t length = sizeof from, peer_length = sizeof peer;
  int accepted = syscall(SYS_accept4, fd, &from, &length, flags);
  if (accepted == -1) return fail(errno);
  begin(accepted, 1);
  /* Habit 3: a client that has reset has no address. */
  if (syscall(SYS_getpeername, accepted, &peer, &peer_length) == -1) *room = 0;
  else to_bsd(address, room, &from, length);
  return accepted;
}

/* An accepted socket is non-blocking as its listener is. */
int bsd_accept(int fd, uint8_t *address, socklen_t *room) EXPORTED("accept");
int bsd_accept(int fd, uint8_t *address, socklen_t *room) {
  int flags = syscall(SYS_fcntl, fd, F_GETFL, 0);
  return accept_connection(fd, address, room, flags != -1 && flags & O_NONBLOCK ? SOCK_NONBLOCK : 0);
}

#if FREEBSD
int bsd_accept4(int fd, uint8_t *address, socklen_t *room, int flags) EXPORTED("accept4");
int bsd_accept4(int fd, uint8_t *address, socklen_t *room, int flags) {
  return accept_connection(fd, address, room,
    (flags & BSD_SOCK_NONBLOCK ? SOCK_NONBLOCK : 0) | (flags & BSD_SOCK_CLOEXEC ? SOCK_CLOEXEC : 0));
}
#endif

static int name_of(int number, int fd, uint8_t *address, socklen_t *room) {
  struct sockaddr_storage name;
  socklen_t length = sizeof name;
  if (syscall(number, fd, &name, &length) == -1) return fail(errno);
  to_bsd(address, room, &name, length);
  return 0;
}

int bsd_getsockname(int fd, uint8_t *address, socklen_t *room) EXPORTED("getsockname");
int bsd_getsockname(int fd, uint8_t *address, socklen_t *room) { return name_of(SYS_getsockname, fd, address, room); }

int bsd_getpeername(int fd, uint8_t *address, socklen_t *room) EXPORTED("getpeername");
int bsd_getpeername(int fd, uint8_t *address, socklen_t *room) { return name_of(SYS_getpeername, fd, address, room); }

/* Habit 8. */
int bsd_shutdown(int fd, int how) EXPORTED("shutdown");
int bsd_shutdown(int fd, int how) { return has_ended(fd) ? fail(ENOTCONN) : checked(syscall(SYS_shutdown, fd, how)); }

int bsd_close(int fd) EXPORTED("close");
int bsd_close(int fd) {
  forget_events(fd);
  *state_of(fd) = (struct state) { 0 };
  return checked(syscall(SYS_close, fd));
}

int bsd_fcntl(int fd, int operation, long argument) EXPORTED("fcntl");
int bsd_fcntl(int fd, int operation, long argument) {
  if (operation == MACOS_OR_FREEBSD(67, 17)) {
    int copy = checked(syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, argument));
    if (copy != -1) *state_of(copy) = *state_of(fd);
    return copy;
  }
  if (operation == F_SETFL) argument = argument & 4 ? O_NONBLOCK : 0;
  int result = checked(syscall(SYS_fcntl, fd, operation, argument));
  if (operation != F_GETFL || result == -1) return result;
  return (result & O_ACCMODE) | (result & O_NONBLOCK ? 4 : 0);
}

int bsd_open(const char *path, int flags) EXPORTED("open");
int bsd_open(const char *path, int flags) {
  int close_on_exec = flags & MACOS_OR_FREEBSD(0x1000000, 0x100000) ? O_CLOEXEC : 0;
  int nonblocking = flags & 4 ? O_NONBLOCK : 0;
  return checked(syscall(SYS_openat, AT_FDCWD, path, (flags & O_ACCMODE) | nonblocking | close_on_exec, 0));
}

/* Habit 10: the mode of a socket before bind is not the mode of its file. */
int bsd_fchmod(int fd, unsigned mode) EXPORTED("fchmod");
int bsd_fchmod(int fd, unsigned mode) {
  return int_option(fd, SOL_SOCKET, SO_TYPE) == -1 ? checked(syscall(SYS_fchmod, fd, mode)) : fail(EINVAL);
}

int bsd_getpeereid(int fd, unsigned *uid, unsigned *gid) EXPORTED("getpeereid");
int bsd_getpeereid(int fd, unsigned *uid, unsigned *gid) {
  struct ucred peer = { 0 };
  socklen_t length = sizeof peer;
  if (syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == -1) return fail(errno);
  if (peer.pid == 0) return fail(ENOTCONN);
  *uid = peer.uid;
  *gid = peer.gid;
  return 0;
}

/* What is the same but for its error number. */
#define SAME(name, parameters, ...) \
  long bsd_##name parameters EXPORTED(#name); \
  long bsd_##name parameters { return checked(syscall(SYS_##name, __VA_ARGS__)); }

SAME(chmod, (const char *path, unsigned mode), path, mode)
SAME(umask, (unsigned mask), mask)
SAME(flock, (int fd, int operation), fd, operation)
SAME(poll, (struct pollfd *fds, unsigned count, int timeout), fds, count, timeout)
SAME(lseek, (int fd, long offset, int from), fd, offset, from)
SAME(pipe, (int fds[2]), fds)
SAME(readlink, (const char *path, char *target, size_t size), path, target, size)
SAME(sched_yield, (void), 0)
SAME(write, (int fd, const void *bytes, size_t length), fd, bytes, length)

long bsd_pread(int fd, void *bytes, size_t length, long offset) EXPORTED("pread");
long bsd_pread(int fd, void *bytes, size_t length, long offset) {
  return checked(syscall(SYS_pread64, fd, bytes, length, offset));
}

#if FREEBSD
#define FSTAT "fstat"
#else
#define FSTAT "fstat$INODE64"
#endif

/* struct stat: what the module reads of it. */
static int write_stat(int fd, uint8_t *to) {
  struct stat found;
  if (syscall(SYS_fstat, fd, &found) == -1) return fail(errno);
  uint16_t mode = found.st_mode;
  memcpy(to, &found.st_dev, MACOS_OR_FREEBSD(4, 8));
  memcpy(to + 8, &found.st_ino, 8);
  memcpy(to + MACOS_OR_FREEBSD(4, 24), &mode, sizeof mode);
  return 0;
}

int bsd_fstat(int fd, uint8_t *to) EXPORTED(FSTAT);
int bsd_fstat(int fd, uint8_t *to) { return write_stat(fd, to); }
