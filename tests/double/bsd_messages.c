/* recvmsg(2), sendmsg(2) and what is made of them, with control messages. */
#include "bsd.h"

struct bsd_msghdr {
  void *name;
  socklen_t name_length;
  struct iovec *iov;
  int iov_length;
  void *control;
  socklen_t control_length;
  int flags;
};

struct bsd_cmsghdr {
  socklen_t length;
  int level, type;
};

#define BSD_ALIGN MACOS_OR_FREEBSD(4u, 8u)
#define BSD_ALIGNED(length) (((length) + BSD_ALIGN - 1) & ~(BSD_ALIGN - 1))
#define BSD_HEADER BSD_ALIGNED(sizeof(struct bsd_cmsghdr))
#define BSD_MSG_TRUNC 0x10
#define BSD_MSG_CTRUNC 0x20

/* Level and type of control messages on both sides. */
static const struct { int level, type, bsd_level, bsd_type; } kinds[] = {
  { SOL_SOCKET, SCM_RIGHTS, BSD_SOL_SOCKET, 1 },
  { SOL_SOCKET, SO_TIMESTAMP, BSD_SOL_SOCKET, 2 },
  { IPPROTO_IP, IP_TTL, IPPROTO_IP, MACOS_OR_FREEBSD(24, 65) },
  { IPPROTO_IP, IP_TOS, IPPROTO_IP, MACOS_OR_FREEBSD(27, 68) },
  { IPPROTO_IPV6, IPV6_PKTINFO, IPPROTO_IPV6, 46 },
  { IPPROTO_IPV6, IPV6_HOPLIMIT, IPPROTO_IPV6, 47 },
  { IPPROTO_IPV6, IPV6_TCLASS, IPPROTO_IPV6, MACOS_OR_FREEBSD(36, 61) },
};

static int to_linux_flags(int flags) {
  /* MSG_TRUNC is no flag of a call here. */
  return (flags & 0x7) | (flags & 0x8 ? MSG_EOR : 0) | (flags & 0x40 ? MSG_WAITALL : 0) |
    (flags & 0x80 ? MSG_DONTWAIT : 0) | (flags & MACOS_OR_FREEBSD(0x80000, 0x20000) ? MSG_NOSIGNAL : 0) |
    (flags & MACOS_OR_FREEBSD(0, 0x40000) ? MSG_CMSG_CLOEXEC : 0);
}

/* Where control messages are written, until there is no more room. */
struct writer {
  uint8_t *to;
  socklen_t room, length;
  int cut;
};

static void add(struct writer *writer, int level, int type, const void *data, socklen_t length) {
  struct bsd_cmsghdr header = { BSD_HEADER + length, level, type };
  uint8_t bytes[4096] = { 0 };
  socklen_t space = BSD_ALIGNED(header.length), left = writer->room - writer->length;
  memcpy(bytes, &header, sizeof header);
  memcpy(bytes + BSD_HEADER, data, length);
  writer->cut |= left < header.length;
  if (space > left) space = left;
  memcpy(writer->to + writer->length, bytes, space);
  writer->length += space;
}

static void add_packet_info(struct writer *writer, const struct state *state, const struct in_pktinfo *info) {
  /* struct sockaddr_dl: length, family, index. */
  uint8_t link[20] = { sizeof link, 18, info->ipi_ifindex, info->ipi_ifindex >> 8 };
  if (state->packet_info) add(writer, IPPROTO_IP, 26, info, sizeof *info);
  if (state->destination) add(writer, IPPROTO_IP, 7, &info->ipi_addr, 4);
  if (state->interface) add(writer, IPPROTO_IP, 20, link, sizeof link);
}

static void to_bsd_control(struct writer *writer, const struct state *state, struct msghdr *message) {
  for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL; header = CMSG_NXTHDR(message, header)) {
    const int *data = (const int *)CMSG_DATA(header);
    socklen_t length = header->cmsg_len - CMSG_LEN(0);
    /* An int on Linux, an u_char here. */
    if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_TTL) length = 1;
    if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO) {
      add_packet_info(writer, state, (const struct in_pktinfo *)data);
    }
    for (size_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++) {
      if (kinds[kind].level == header->cmsg_level && kinds[kind].type == header->cmsg_type) {
        add(writer, kinds[kind].bsd_level, kinds[kind].bsd_type, data, length);
      }
    }
    for (socklen_t at = 0; header->cmsg_type == SCM_RIGHTS && at < length / 4; at++) begin(data[at], 1);
  }
}

/* The control messages of a call that sends; -1 with errno where the kernel would refuse them. */
static int to_linux_control(const struct bsd_msghdr *from, struct msghdr *to) {
  const uint8_t *at = from->control, *end = at + from->control_length;
  to->msg_controllen = 0;
  /* Habit 1. */
  if (at == NULL) return 0;
  if (from->control_length < sizeof(struct bsd_cmsghdr)) return fail(EINVAL);
  for (const struct bsd_cmsghdr *header; end - at >= (long)BSD_HEADER; at += BSD_ALIGNED(header->length)) {
    struct in_pktinfo source = { 0 };
    struct cmsghdr made = { 0 };
    const void *data = at + BSD_HEADER;
    header = (const struct bsd_cmsghdr *)at;
    if (header->length < BSD_HEADER || header->length > end - at) return fail(EINVAL);
    socklen_t length = header->length - BSD_HEADER;
    for (size_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++) {
      if (kinds[kind].bsd_level != header->level || kinds[kind].bsd_type != header->type) continue;
      made = (struct cmsghdr) { CMSG_LEN(length), kinds[kind].level, kinds[kind].type };
    }
    if (header->level == IPPROTO_IP && header->type == MACOS_OR_FREEBSD(26, 7)) {
      made = (struct cmsghdr) { CMSG_LEN(sizeof source), IPPROTO_IP, IP_PKTINFO };
      if (!FREEBSD) memcpy(&source, data, sizeof source);
      else memcpy(&source.ipi_spec_dst, data, 4);
      data = &source;
      length = sizeof source;
    }
    if (made.cmsg_len == 0) return fail(EINVAL);
    memcpy((uint8_t *)to->msg_control + to->msg_controllen, &made, sizeof made);
    memcpy((uint8_t *)to->msg_control + to->msg_controllen + CMSG_LEN(0), data, length);
    to->msg_controllen += CMSG_SPACE(length);
  }
  return 0;
}

/* Habit 10: the most that the receiver of a Unix datagram has room for, 0 where it is not a socket of this process. */
static size_t receiver_room(int fd, const struct sockaddr_storage *name) {
  struct state *state = state_of(fd);
  if (state->receive_buffer == 0) return 0;
  if (state->other != 0) return state_of(state->other)->receive_buffer;
  unsigned long inode = inode_of(name);
  for (int at = 0; inode != 0 && at < MAX_FDS; at++) if (states[at].inode == inode) return states[at].receive_buffer;
  return 0;
}

long bsd_sendmsg(int fd, const struct bsd_msghdr *from, int flags) EXPORTED("sendmsg");
long bsd_sendmsg(int fd, const struct bsd_msghdr *from, int flags) {
  struct sockaddr_storage name, peer = { 0 };
  socklen_t peer_length = sizeof peer;
  int peerless = syscall(SYS_getpeername, fd, &peer, &peer_length);
  uint64_t control[1024] = { 0 };
  struct msghdr to = { .msg_iov = from->iov, .msg_iovlen = from->iov_length, .msg_control = control };
  struct state *state = state_of(fd);
  size_t length = 0;
  /* A message of no buffer is refused. */
  if (!FREEBSD && from->iov_length <= 0) return fail(EMSGSIZE);
  if (from->name != NULL) {
    /* Habit 1. */
    if (from->name_length < 2) return fail(EINVAL);
    to.msg_name = &name;
    to.msg_namelen = to_linux(&name, from->name, from->name_length);
    /* Habit 9. */
    if (!peerless) return fail(EISCONN);
  }
  if (to_linux_control(from, &to) == -1) return -1;
  if (to.msg_controllen == 0) to.msg_control = NULL;
  for (int at = 0; at < from->iov_length; at++) length += from->iov[at].iov_len;
  if (state->send_buffer != 0 && length > (size_t)state->send_buffer) return fail(EMSGSIZE);
  size_t room = length <= 4096 ? 0 : receiver_room(fd, peerless ? &name : &peer);
  if (room != 0 && length > room) return fail(ENOBUFS);
  /* What has ended is a broken pipe, though an error is pending. */
  if (has_ended(fd)) return fail(EPIPE);
  return checked(syscall(SYS_sendmsg, fd, &to, to_linux_flags(flags)));
}

long bsd_recvmsg(int fd, struct bsd_msghdr *to, int flags) EXPORTED("recvmsg");
long bsd_recvmsg(int fd, struct bsd_msghdr *to, int flags) {
  struct sockaddr_storage name;
  struct state *state = state_of(fd);
  uint64_t control[1024];
  struct msghdr from = { .msg_name = &name, .msg_namelen = sizeof name, .msg_iov = to->iov,
    .msg_iovlen = to->iov_length, .msg_control = control, .msg_controllen = sizeof control };
  struct writer writer = { .to = to->control, .room = to->control == NULL ? 0 : to->control_length };
  /* Peeking externalizes no descriptors. */
  if (flags & MSG_PEEK) from.msg_controllen = 0;
  long length = syscall(SYS_recvmsg, fd, &from, to_linux_flags(flags));
  if (length == -1 && errno != EAGAIN) state->error = 0;
  if (length == -1 && errno != EAGAIN) return fail(errno);
  if (length <= 0 && state->error != 0) {
    int error = state->error;
    state->error = 0;
    return fail(error);
  }
  if (length == -1) return fail(errno);
  if (to->name != NULL) to_bsd(to->name, &to->name_length, &name, from.msg_namelen);
  /* Habit 5: descriptors are installed though there is no room for them, and nothing says so. */
  if (from.msg_controllen > 0) to_bsd_control(&writer, state, &from);
  to->control_length = writer.length;
  /* Habit 2: the flags of the call come back. */
  to->flags = flags | (from.msg_flags & MSG_TRUNC ? BSD_MSG_TRUNC : 0) | (from.msg_flags & MSG_OOB) |
    (from.msg_flags & MSG_EOR ? 0x8 : 0) | ((writer.cut || from.msg_flags & MSG_CTRUNC) && writer.room > 0 ? BSD_MSG_CTRUNC : 0);
  return length;
}

long bsd_recvfrom(int fd, void *p, size_t length, int flags, void *name, socklen_t *room) EXPORTED("recvfrom");
long bsd_recvfrom(int fd, void *p, size_t length, int flags, void *name, socklen_t *room) {
  struct iovec iov = { p, length };
  struct bsd_msghdr message = { .name = name, .name_length = name == NULL ? 0 : *room, .iov = &iov, .iov_length = 1 };
  long received = bsd_recvmsg(fd, &message, flags);
  if (received != -1 && name != NULL) *room = message.name_length;
  return received;
}

long bsd_recv(int fd, void *p, size_t length, int flags) EXPORTED("recv");
long bsd_recv(int fd, void *p, size_t length, int flags) { return bsd_recvfrom(fd, p, length, flags, NULL, NULL); }

long bsd_read(int fd, void *p, size_t length) EXPORTED("read");
long bsd_read(int fd, void *p, size_t length) {
  if (int_option(fd, SOL_SOCKET, SO_TYPE) != -1) return bsd_recv(fd, p, length, 0);
  return checked(syscall(SYS_read, fd, p, length));
}

long bsd_send(int fd, const void *p, size_t length, int flags) EXPORTED("send");
long bsd_send(int fd, const void *p, size_t length, int flags) {
  struct iovec iov = { (void *)p, length };
  struct bsd_msghdr message = { .iov = &iov, .iov_length = 1 };
  return bsd_sendmsg(fd, &message, flags);
}

#if FREEBSD
struct bsd_mmsghdr {
  struct bsd_msghdr message;
  long length;
};

long bsd_recvmmsg(int fd, struct bsd_mmsghdr *vector, unsigned count, int flags, void *timeout) EXPORTED("recvmmsg");
long bsd_recvmmsg(int fd, struct bsd_mmsghdr *vector, unsigned count, int flags, void *timeout) {
  for (unsigned at = 0; at < count; at++) {
    vector[at].length = bsd_recvmsg(fd, &vector[at].message, flags & ~0x80000);
    if (vector[at].length == -1) return at > 0 ? (long)at : -1;
  }
  return timeout == NULL ? count : fail(EINVAL);
}

long bsd_sendmmsg(int fd, struct bsd_mmsghdr *vector, unsigned count, int flags) EXPORTED("sendmmsg");
long bsd_sendmmsg(int fd, struct bsd_mmsghdr *vector, unsigned count, int flags) {
  for (unsigned at = 0; at < count; at++) {
    vector[at].length = bsd_sendmsg(fd, &vector[at].message, flags);
    if (vector[at].length == -1) return at > 0 ? (long)at : -1;
  }
  return count;
}
#endif
