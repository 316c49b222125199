/* Sends datagrams to a port of 127.0.0.1, for a bounded time or until they are refused.
 *
 * udp_flood PORT LENGTH SECONDS SEGMENTS RATE
 *
 * RATE is datagrams a second, sent one by one; with 0 it sends as fast as it can, 64 a call by sendmmsg(2). SEGMENTS above 1
 * makes each of those as many datagrams, cut up by UDP_SEGMENT: that costs the sender less than any receiver. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

static char payload[65536];

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static int open_socket(int port, int length, int segments) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd == -1 || connect(fd, (struct sockaddr *)&to, sizeof to) == -1) {
    perror("connect");
    exit(1);
  }
  if (segments > 1 && setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &length, sizeof length) == -1) {
    perror("UDP_SEGMENT");
    exit(1);
  }
  return fd;
}

/* Whether to go on after a call that failed. Nobody listens any more: the round is over. */
static int transient(void) {
  if (errno == ENOBUFS || errno == EINTR || errno == EAGAIN) return 1;
  if (errno != ECONNREFUSED) perror("send");
  return 0;
}

static void flood(int fd, struct iovec *iov) {
  struct mmsghdr messages[BATCH];
  memset(messages, 0, sizeof messages);
  for (int i = 0; i < BATCH; i++) {
    messages[i].msg_hdr.msg_iov = iov;
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  while (sendmmsg(fd, messages, BATCH, 0) != -1 || transient()) continue;
}

/* Waits by looking at the clock: a timer would come too late. What was missed is not made up for. */
static void pace(int fd, struct iovec *iov, double interval) {
  double next = now();
  for (;;) {
    double time = now();
    if (time < next) continue;
    next = time - next > 10 * interval ? time + interval : next + interval;
    if (send(fd, iov->iov_base, iov->iov_len, 0) == -1 && !transient()) return;
  }
}

int main(int argc, char **argv) {
  if (argc < 6) return 2;
  int length = atoi(argv[2]), segments = atoi(argv[4]), rate = atoi(argv[5]);
  if (length < 1 || segments < 1 || length * segments > 65507) return 2;
  alarm(atoi(argv[3]));
  int fd = open_socket(atoi(argv[1]), length, segments);
  struct iovec iov = {payload, (size_t)length * segments};
  puts("{\"started\":true}");
  fflush(stdout);
  if (rate > 0) pace(fd, &iov, 1.0 / rate);
  else flood(fd, &iov);
  return 0;
}
