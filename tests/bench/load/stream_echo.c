/* An echo server as the system allows it: one thread, epoll(7), edge-triggered, one recv(2) and one send(2) a message.
 *
 * stream_echo tcp|unix
 * It says where it listens as stream_server.ts does, and serves until it is killed. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define EVENTS 256

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static int listen_tcp(void) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (bind(fd, (struct sockaddr *)&address, length) == -1 || listen(fd, 4096) == -1) fail("listen");
  getsockname(fd, (struct sockaddr *)&address, &length);
  printf("{\"address\":\"tcp:%d\"}\n", ntohs(address.sin_port));
  return fd;
}

static int listen_unix(void) {
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  char folder[] = "/tmp/berkeley_bench_XXXXXX";
  if (mkdtemp(folder) == NULL) fail("mkdtemp");
  snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", folder);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) == -1 || listen(fd, 4096) == -1) fail("listen");
  printf("{\"address\":\"unix:%s\"}\n", address.sun_path);
  return fd;
}

static void watch(int epoll, int fd) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = fd};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == -1) fail("epoll_ctl");
}

static void accept_all(int epoll, int listener) {
  int fd, on = 1;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) != -1) {
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(epoll, fd);
  }
}

static void echo(int fd) {
  char bytes[1024];
  for (;;) {
    ssize_t length = recv(fd, bytes, sizeof bytes, 0);
    if (length == -1 && errno == EAGAIN) return;
    if (length <= 0 || send(fd, bytes, length, MSG_NOSIGNAL) != length) {
      close(fd);
      return;
    }
    if (length < (ssize_t)sizeof bytes) return;
  }
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  int listener = strcmp(argv[1], "unix") == 0 ? listen_unix() : listen_tcp();
  int epoll = epoll_create1(0);
  struct epoll_event events[EVENTS];
  fflush(stdout);
  watch(epoll, listener);
  for (;;) {
    int ready = epoll_wait(epoll, events, EVENTS, -1);
    for (int i = 0; i < ready; i++) {
      if (events[i].data.fd == listener) accept_all(epoll, listener);
      else echo(events[i].data.fd);
    }
  }
}
