/* getsockopt(2) and setsockopt(2). */
#include "bsd.h"

#include <netinet/tcp.h>

/* How a value differs: not; a flag that reads as its own number; one byte in place of an int; a structure with
 * addresses; SO_SNDBUF, SO_RCVBUF and SO_ERROR, which have a state; which control messages of packet information are wanted;
 * a flag that is a choice of several on Linux; SO_REUSEPORT, which gives unicast to the socket bound last, as
 * SO_REUSEADDR does for datagrams on Linux. */
enum form { SAME, FLAG, BYTE, GROUP, SEND_BUFFER, RECEIVE_BUFFER, ERROR, PACKET_INFO, DONT_FRAGMENT, SHARED_PORT };

static const struct option {
  int bsd_level, bsd_name, level, name;
  enum form form;
} options[] = {
  { 0xffff, 0x2, SOL_SOCKET, SO_ACCEPTCONN, FLAG },
  { 0xffff, 0x4, SOL_SOCKET, SO_REUSEADDR, FLAG },
  { 0xffff, 0x8, SOL_SOCKET, SO_KEEPALIVE, FLAG },
  { 0xffff, 0x10, SOL_SOCKET, SO_DONTROUTE, FLAG },
  { 0xffff, 0x20, SOL_SOCKET, SO_BROADCAST, FLAG },
  { 0xffff, MACOS_OR_FREEBSD(0x1080, 0x80), SOL_SOCKET, SO_LINGER, SAME },
  { 0xffff, 0x100, SOL_SOCKET, SO_OOBINLINE, FLAG },
  { 0xffff, 0x200, SOL_SOCKET, SO_REUSEPORT, SHARED_PORT },
  { 0xffff, 0x400, SOL_SOCKET, SO_TIMESTAMP, FLAG },
  { 0xffff, 0x1001, SOL_SOCKET, SO_SNDBUF, SEND_BUFFER },
  { 0xffff, 0x1002, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER },
  { 0xffff, 0x1004, SOL_SOCKET, SO_RCVLOWAT, SAME },
  { 0xffff, 0x1007, SOL_SOCKET, SO_ERROR, ERROR },
  { 0xffff, 0x1008, SOL_SOCKET, SO_TYPE, SAME },
  { IPPROTO_IP, 3, IPPROTO_IP, IP_TOS, SAME },
  { IPPROTO_IP, 4, IPPROTO_IP, IP_TTL, SAME },
  { IPPROTO_IP, 7, IPPROTO_IP, IP_PKTINFO, PACKET_INFO },
  { IPPROTO_IP, 9, IPPROTO_IP, IP_MULTICAST_IF, SAME },
  { IPPROTO_IP, 10, IPPROTO_IP, IP_MULTICAST_TTL, BYTE },
  { IPPROTO_IP, 11, IPPROTO_IP, IP_MULTICAST_LOOP, BYTE },
  { IPPROTO_IP, 12, IPPROTO_IP, IP_ADD_MEMBERSHIP, SAME },
  { IPPROTO_IP, 13, IPPROTO_IP, IP_DROP_MEMBERSHIP, SAME },
  { IPPROTO_IP, 20, IPPROTO_IP, IP_PKTINFO, PACKET_INFO },
  { IPPROTO_IP, 80, IPPROTO_IP, MCAST_JOIN_GROUP, GROUP },
  { IPPROTO_IP, 81, IPPROTO_IP, MCAST_LEAVE_GROUP, GROUP },
  { IPPROTO_IP, 82, IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, GROUP },
  { IPPROTO_IP, 83, IPPROTO_IP, MCAST_LEAVE_SOURCE_GROUP, GROUP },
  { IPPROTO_IP, 84, IPPROTO_IP, MCAST_BLOCK_SOURCE, GROUP },
  { IPPROTO_IP, 85, IPPROTO_IP, MCAST_UNBLOCK_SOURCE, GROUP },
  { IPPROTO_IP, MACOS_OR_FREEBSD(28, 67), IPPROTO_IP, IP_MTU_DISCOVER, DONT_FRAGMENT },
  { IPPROTO_IPV6, 4, IPPROTO_IPV6, IPV6_UNICAST_HOPS, SAME },
  { IPPROTO_IPV6, 9, IPPROTO_IPV6, IPV6_MULTICAST_IF, SAME },
  { IPPROTO_IPV6, 10, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, SAME },
  { IPPROTO_IPV6, 11, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, SAME },
  { IPPROTO_IPV6, 12, IPPROTO_IPV6, IPV6_JOIN_GROUP, SAME },
  { IPPROTO_IPV6, 13, IPPROTO_IPV6, IPV6_LEAVE_GROUP, SAME },
  { IPPROTO_IPV6, 27, IPPROTO_IPV6, IPV6_V6ONLY, SAME },
  { IPPROTO_IPV6, 37, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, SAME },
  { IPPROTO_IPV6, 62, IPPROTO_IPV6, IPV6_DONTFRAG, SAME },
  { IPPROTO_IPV6, 80, IPPROTO_IPV6, MCAST_JOIN_GROUP, GROUP },
  { IPPROTO_IPV6, 81, IPPROTO_IPV6, MCAST_LEAVE_GROUP, GROUP },
  { IPPROTO_IPV6, 82, IPPROTO_IPV6, MCAST_JOIN_SOURCE_GROUP, GROUP },
  { IPPROTO_IPV6, 83, IPPROTO_IPV6, MCAST_LEAVE_SOURCE_GROUP, GROUP },
  { IPPROTO_IPV6, 84, IPPROTO_IPV6, MCAST_BLOCK_SOURCE, GROUP },
  { IPPROTO_IPV6, 85, IPPROTO_IPV6, MCAST_UNBLOCK_SOURCE, GROUP },
  { IPPROTO_TCP, 1, IPPROTO_TCP, TCP_NODELAY, SAME },
  { IPPROTO_TCP, 2, IPPROTO_TCP, TCP_MAXSEG, SAME },
#if FREEBSD
  { 0xffff, 0x1016, SOL_SOCKET, SO_PROTOCOL, SAME },
  { 0xffff, 0x1018, SOL_SOCKET, SO_MAX_PACING_RATE, SAME },
  { 0xffff, 0x1019, SOL_SOCKET, SO_DOMAIN, SAME },
  { 0xffff, 0x10000, SOL_SOCKET, SO_REUSEPORT, FLAG },
  { IPPROTO_IP, 65, IPPROTO_IP, IP_RECVTTL, SAME },
  { IPPROTO_IP, 66, IPPROTO_IP, IP_MINTTL, SAME },
  { IPPROTO_IP, 68, IPPROTO_IP, IP_RECVTOS, SAME },
  { IPPROTO_IPV6, 36, IPPROTO_IPV6, IPV6_RECVPKTINFO, SAME },
  { IPPROTO_IPV6, 57, IPPROTO_IPV6, IPV6_RECVTCLASS, SAME },
  { IPPROTO_IPV6, 61, IPPROTO_IPV6, IPV6_TCLASS, SAME },
  { IPPROTO_TCP, 0x40, IPPROTO_TCP, TCP_CONGESTION, SAME },
  { IPPROTO_TCP, 0x100, IPPROTO_TCP, TCP_KEEPIDLE, SAME },
  { IPPROTO_TCP, 0x200, IPPROTO_TCP, TCP_KEEPINTVL, SAME },
  { IPPROTO_TCP, 0x400, IPPROTO_TCP, TCP_KEEPCNT, SAME },
  { IPPROTO_TCP, 0x401, IPPROTO_TCP, TCP_FASTOPEN, SAME },
#else
  { 0xffff, 0x1134, SOL_SOCKET, SO_BINDTODEVICE, SAME },
  { IPPROTO_IP, 24, IPPROTO_IP, IP_RECVTTL, SAME },
  { IPPROTO_IP, 25, SOL_SOCKET, SO_BINDTOIFINDEX, SAME },
  { IPPROTO_IP, 26, IPPROTO_IP, IP_PKTINFO, PACKET_INFO },
  { IPPROTO_IP, 27, IPPROTO_IP, IP_RECVTOS, SAME },
  { IPPROTO_IPV6, 35, IPPROTO_IPV6, IPV6_RECVTCLASS, SAME },
  { IPPROTO_IPV6, 36, IPPROTO_IPV6, IPV6_TCLASS, SAME },
  { IPPROTO_IPV6, 61, IPPROTO_IPV6, IPV6_RECVPKTINFO, SAME },
  { IPPROTO_IPV6, 125, SOL_SOCKET, SO_BINDTOIFINDEX, SAME },
  { IPPROTO_TCP, 0x10, IPPROTO_TCP, TCP_KEEPIDLE, SAME },
  { IPPROTO_TCP, 0x101, IPPROTO_TCP, TCP_KEEPINTVL, SAME },
  { IPPROTO_TCP, 0x102, IPPROTO_TCP, TCP_KEEPCNT, SAME },
  { IPPROTO_TCP, 0x105, IPPROTO_TCP, TCP_FASTOPEN, SAME },
  { IPPROTO_TCP, 0x201, IPPROTO_TCP, TCP_NOTSENT_LOWAT, SAME },
#endif
};

/* An IPv6 socket has no options of IPv4, though it may carry IPv4. */
static int of_other_family(int fd, int level) { return level == IPPROTO_IP && state_of(fd)->domain == AF_INET6; }

static const struct option *find(int level, int name) {
  for (size_t at = 0; at < sizeof options / sizeof options[0]; at++) {
    if (options[at].bsd_level == level && options[at].bsd_name == name) return &options[at];
  }
  return NULL;
}

/* struct group_req and group_source_req: an index, and one or two addresses. macOS packs them to 4 bytes. */
static int set_group(int fd, const struct option *option, const uint8_t *value, socklen_t length) {
  struct group_source_req request = { 0 };
  socklen_t start = MACOS_OR_FREEBSD(4, 8), one = sizeof request.gsr_group;
  int sources = length == start + 2 * one;
  if (!sources && length != start + one) return fail(EINVAL);
  memcpy(&request.gsr_interface, value, 4);
  to_linux(&request.gsr_group, value + start, one);
  if (sources) to_linux(&request.gsr_source, value + start + one, one);
  length = sources ? sizeof request : sizeof(struct group_req);
  return checked(syscall(SYS_setsockopt, fd, option->level, option->name, &request, length));
}

static int *packet_info_of(int fd, int name) {
  struct state *state = state_of(fd);
  return name == 7 ? &state->destination : name == 20 ? &state->interface : &state->packet_info;
}

int bsd_setsockopt(int fd, int level, int name, const void *value, socklen_t length) EXPORTED("setsockopt");
int bsd_setsockopt(int fd, int level, int name, const void *value, socklen_t length) {
  const struct option *option = find(level, name);
  int number = length >= 4 ? *(const int *)value : length > 0 ? *(const uint8_t *)value : 0;
  /* Habit 8. */
  if (has_ended(fd) || of_other_family(fd, level)) return fail(EINVAL);
  if (option == NULL) return fail(ENOPROTOOPT);
  if (option->form == GROUP) return set_group(fd, option, value, length);
  if (option->form == FLAG && length < 4) return fail(EINVAL);
  if (option->form == BYTE && number > 255) return fail(EINVAL);
  if (option->form == BYTE) return checked(syscall(SYS_setsockopt, fd, option->level, option->name, &number, 4));
  if (option->form == ERROR) return fail(ENOPROTOOPT);
  if (option->form == DONT_FRAGMENT) {
    number = number != 0 ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT;
    return checked(syscall(SYS_setsockopt, fd, option->level, option->name, &number, 4));
  }
  /* kern.ipc.maxsockbuf. */
  if (option->form == SEND_BUFFER && number > 8 << 20) return fail(ENOBUFS);
  if (option->form == SEND_BUFFER && state_of(fd)->send_buffer != 0) state_of(fd)->send_buffer = number;
  if (option->form == RECEIVE_BUFFER && state_of(fd)->receive_buffer != 0) state_of(fd)->receive_buffer = number;
  if (option->form == SHARED_PORT) {
    state_of(fd)->reuse_port = number != 0;
    if (!state_of(fd)->datagrams) return checked(syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_REUSEPORT, &number, 4));
    if (number == 0 || int_option(fd, SOL_SOCKET, SO_REUSEADDR) == 1) return 0;
    return checked(syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, &number, 4));
  }
  if (option->form == PACKET_INFO) {
    struct state *state = state_of(fd);
    *packet_info_of(fd, name) = number != 0;
    number = state->packet_info || state->destination || state->interface;
    return checked(syscall(SYS_setsockopt, fd, IPPROTO_IP, IP_PKTINFO, &number, 4));
  }
  return checked(syscall(SYS_setsockopt, fd, option->level, option->name, value, length));
}

/* LOCAL_PEERPID. Habit 11: not once the peer has gone. */
static int peer_pid(int fd, void *value, socklen_t *length) {
  struct ucred peer = { 0 };
  socklen_t size = sizeof peer;
  if (has_ended(fd)) return fail(ENOTCONN);
  if (syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == -1) return fail(errno);
  if (peer.pid == 0) return fail(ENOTCONN);
  memcpy(value, &peer.pid, 4);
  *length = 4;
  return 0;
}

static int pending_error(int fd) {
  struct state *state = state_of(fd);
  int error = state->error != 0 ? state->error : int_option(fd, SOL_SOCKET, SO_ERROR);
  state->error = 0;
  return error <= 0 ? 0 : bsd_error(error);
}

/* TCP_CONNECTION_INFO, and TCP_INFO of FreeBSD: members that the systems have in common with Linux. */
static int connection_info(int fd, uint8_t *value, socklen_t *length) {
  static const uint8_t states[] = { 0, 4, 2, 3, 6, 9, 10, 0, 5, 8, 1, 7 };
  struct tcp_info info = { 0 };
  uint32_t to[59] = { 0 };
  socklen_t size = sizeof info, room = MACOS_OR_FREEBSD(112, 236);
  if (syscall(SYS_getsockopt, fd, IPPROTO_TCP, TCP_INFO, &info, &size) == -1) return fail(errno);
  to[0] = states[info.tcpi_state < sizeof states ? info.tcpi_state : 0];
#if FREEBSD
  to[2] = info.tcpi_rto, to[4] = info.tcpi_snd_mss, to[5] = info.tcpi_rcv_mss, to[17] = info.tcpi_rtt;
  to[18] = info.tcpi_rttvar, to[20] = info.tcpi_snd_cwnd, to[24] = info.tcpi_rcv_space;
#else
  to[3] = info.tcpi_rto / 1000, to[4] = info.tcpi_snd_mss, to[6] = info.tcpi_snd_cwnd * info.tcpi_snd_mss;
  to[10] = info.tcpi_rtt / 1000, to[11] = info.tcpi_rtt / 1000, to[12] = info.tcpi_rttvar / 1000;
#endif
  if (*length < room) return fail(EINVAL);
  memcpy(value, to, *length = room);
  return 0;
}

int bsd_getsockopt(int fd, int level, int name, void *value, socklen_t *length) EXPORTED("getsockopt");
int bsd_getsockopt(int fd, int level, int name, void *value, socklen_t *length) {
  const struct option *option = find(level, name);
  if (!FREEBSD && level == 0 && name == 2 && state_of(fd)->domain == AF_UNIX) return peer_pid(fd, value, length);
  if (level == IPPROTO_TCP && name == MACOS_OR_FREEBSD(0x106, 32)) return connection_info(fd, value, length);
  if (of_other_family(fd, level)) return fail(EINVAL);
  if (option == NULL) return fail(int_option(fd, SOL_SOCKET, SO_TYPE) == -1 ? errno : ENOPROTOOPT);
  int *number = value;
  if (option->form == ERROR) {
    *number = pending_error(fd);
    *length = 4;
    return 0;
  }
  if (syscall(SYS_getsockopt, fd, option->level, option->name, value, length) == -1) return fail(errno);
  if (option->form == FLAG) *number = *number != 0 ? name : 0;
  if (option->form == SHARED_PORT) *number = state_of(fd)->reuse_port ? name : 0;
  if (option->form == BYTE) *length = 1;
  if (option->form == DONT_FRAGMENT) *number = *number == IP_PMTUDISC_DO;
  if (option->form == RECEIVE_BUFFER || option->form == SEND_BUFFER) *number /= 2;
  if (option->form == SEND_BUFFER && state_of(fd)->send_buffer != 0) *number = state_of(fd)->send_buffer;
  if (option->form == RECEIVE_BUFFER && state_of(fd)->receive_buffer != 0) *number = state_of(fd)->receive_buffer;
  if (option->form == PACKET_INFO) *number = *packet_info_of(fd, name);
  return 0;
}
