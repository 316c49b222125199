/* What the files of the double share. System calls are made by number: the functions of the same names are its own. */
#ifndef BSD_H
#define BSD_H
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

/* The name that the library gives a function out by. */
#define EXPORTED(name) __asm__(name) __attribute__((visibility("default")))

#ifndef FREEBSD
#define FREEBSD 0
#endif
#define MACOS_OR_FREEBSD(macos, freebsd) (FREEBSD ? (freebsd) : (macos))

#define BSD_AF_INET6 MACOS_OR_FREEBSD(30, 28)
#define BSD_SOL_SOCKET 0xffff
#define BSD_SOCK_NONBLOCK MACOS_OR_FREEBSD(0, 0x20000000)
#define BSD_SOCK_CLOEXEC MACOS_OR_FREEBSD(0, 0x10000000)

#define MAX_FDS 65536

/* What the kernels keep of a socket that Linux does not. */
struct state {
  /* The error that ended it, as Linux numbers it, where kevent was first to see it. */
  int error;
  int connected;
  int domain;
  int datagrams;
  /* SO_SNDBUF of datagrams: the longest that can be sent. 0 is no limit. */
  int send_buffer;
  /* SO_RCVBUF of Unix datagrams: the longest that can be received. 0 is no limit. Whose peer is found by the inode that
   * a socket is bound to, or is the other of a pair. */
  int receive_buffer;
  unsigned long inode;
  int other;
  /* IP_PKTINFO, IP_RECVDSTADDR and IP_RECVIF. */
  int packet_info, destination, interface;
  int reuse_port;
};

extern struct state states[MAX_FDS];
struct state *state_of(int fd);
void begin(int fd, int connected);
unsigned long inode_of(const struct sockaddr_storage *address);
int has_ended(int fd);
int int_option(int fd, int level, int name);
int bsd_error(int linux_error);
/* Both set errno: `fail` to a number of Linux, `checked` after a call that returned -1. */
long fail(int linux_error);
long checked(long result);
socklen_t to_linux(struct sockaddr_storage *to, const uint8_t *from, socklen_t length);
void to_bsd(uint8_t *to, socklen_t *room, const struct sockaddr_storage *from, socklen_t length);
/* close(2) ends the filters of a descriptor in every kqueue. */
void forget_events(int fd);
#endif
