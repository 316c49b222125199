/* Receives as C does it: what a subject can come near to.
 *
 * udp_receive recvmsg|recvmmsg|gro
 *
 * Says its port of 127.0.0.1, and then how many datagrams a second it took and at what processor time. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

#define BATCH 64
#define LENGTH 65536
/* Bytes of a datagram, for those that come several in one. */
#define DATAGRAM 64
#define WARM_UP 0.4
#define WINDOW 1.0
/* Calls between two looks at the clock. */
#define STRIDE 64

static char payload[BATCH][LENGTH];
static struct iovec iov[BATCH];
static struct sockaddr_storage names[BATCH];
static struct mmsghdr messages[BATCH];

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

/* Microseconds, user and system. */
static double processor(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static int open_socket(int gro) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t length = sizeof address;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd == -1 || bind(fd, (struct sockaddr *)&address, length) == -1) return -1;
  if (gro && setsockopt(fd, IPPROTO_UDP, UDP_GRO, &gro, sizeof gro) == -1) return -1;
  getsockname(fd, (struct sockaddr *)&address, &length);
  printf("{\"port\":%d}\n", ntohs(address.sin_port));
  fflush(stdout);
  return fd;
}

static long receive(int fd, char way) {
  if (way == 'm') {
    for (int i = 0; i < BATCH; i++) messages[i].msg_hdr.msg_namelen = sizeof names[i];
    int count = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
    return count > 0 ? count : 0;
  }
  messages[0].msg_hdr.msg_namelen = sizeof names[0];
  ssize_t length = recvmsg(fd, &messages[0].msg_hdr, 0);
  return way == 'g' ? (length + DATAGRAM - 1) / DATAGRAM : length >= 0;
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  char way = strcmp(argv[1], "recvmmsg") == 0 ? 'm' : strcmp(argv[1], "gro") == 0 ? 'g' : 'o';
  for (int i = 0; i < BATCH; i++) {
    iov[i] = (struct iovec){payload[i], LENGTH};
    messages[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1, .msg_name = &names[i]};
  }
  alarm(20);
  int fd = open_socket(way == 'g');
  if (fd == -1) return 1;
  for (double end = now() + WARM_UP; now() < end;) {
    for (int i = 0; i < STRIDE; i++) receive(fd, way);
  }
  long count = 0;
  double before = processor(), start = now(), end = start;
  for (; end < start + WINDOW; end = now()) {
    for (int i = 0; i < STRIDE; i++) count += receive(fd, way);
  }
  printf("{\"rate\":%f,\"processor\":%f}\n", count / (end - start), (processor() - before) / count);
  return 0;
}
