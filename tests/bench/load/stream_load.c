/* Load for a stream server, and what the server's clients saw of it.
 *
 * stream_load MODE ADDRESS CONNECTIONS IDLE WARM_UP WINDOW [PERIOD]
 *
 * ADDRESS is tcp:PORT on 127.0.0.1, or unix:PATH. IDLE connections are opened first and left alone. MODE is
 *   echo    64 bytes to and fro on each of CONNECTIONS
 *   paced   64 bytes to and fro on one connection, one round trip every PERIOD microseconds
 *   to      one connection, written to as fast as it goes
 *   from    one connection, read as fast as it goes
 *   accept  CONNECTIONS at a time are opened and wait for the server to close them
 *   hold    CONNECTIONS have each been echoed to once, and then stay
 * It says when its WARM_UP milliseconds are over, and after WINDOW milliseconds what it counted in them. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define LENGTH 64
#define CHUNK 262144
#define EVENTS 256
#define MOST_SAMPLES 8000000

struct connection {
  int fd;
  int received;
  uint64_t sent;
};

static struct sockaddr_storage server;
static socklen_t server_length;
static char bytes[CHUNK];
static uint32_t *samples;
static size_t sample_count;
static uint64_t warm, end;
static int started;

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void read_address(const char *text) {
  if (strncmp(text, "tcp:", 4) == 0) {
    struct sockaddr_in *address = (struct sockaddr_in *)&server;
    address->sin_family = AF_INET;
    address->sin_port = htons(atoi(text + 4));
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server_length = sizeof *address;
  } else {
    struct sockaddr_un *address = (struct sockaddr_un *)&server;
    address->sun_family = AF_UNIX;
    snprintf(address->sun_path, sizeof address->sun_path, "%s", text + 5);
    server_length = sizeof *address;
  }
}

static int dial(void) {
  int fd = socket(server.ss_family, SOCK_STREAM, 0), on = 1;
  if (fd == -1 || connect(fd, (struct sockaddr *)&server, server_length) == -1) fail("connect");
  if (server.ss_family == AF_INET) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

/* Whether the window is still open. The first look after the warm-up says so, and starts the count. */
static int counting(uint64_t time, uint64_t *count) {
  if (!started && time >= warm) {
    started = 1;
    *count = 0;
    sample_count = 0;
    puts("{\"started\":true}");
    fflush(stdout);
  }
  return time < end;
}

static void post(struct connection *connection) {
  connection->received = 0;
  connection->sent = now();
  if (write(connection->fd, bytes, LENGTH) != LENGTH) fail("write");
}

static int compare(const void *a, const void *b) {
  uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;
  return (one > other) - (one < other);
}

static void report(uint64_t count, double window) {
  if (sample_count == 0) fail("no round trip");
  qsort(samples, sample_count, sizeof *samples, compare);
  printf("{\"count\":%llu,\"rate\":%f,\"median\":%f,\"p99\":%f}\n", (unsigned long long)count, count / window,
         samples[sample_count / 2] / 1e3, samples[(size_t)(sample_count * 0.99)] / 1e3);
}

static int watch(int epoll, struct connection *connection) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
  fcntl(connection->fd, F_SETFL, O_NONBLOCK);
  return epoll_ctl(epoll, EPOLL_CTL_ADD, connection->fd, &event);
}

static void echo(struct connection *connections, int many, double window) {
  int epoll = epoll_create1(0);
  struct epoll_event events[EVENTS];
  uint64_t count = 0, time;
  for (int i = 0; i < many; i++) {
    connections[i].fd = dial();
    watch(epoll, &connections[i]);
    post(&connections[i]);
  }
  while (counting(time = now(), &count)) {
    int ready = epoll_wait(epoll, events, EVENTS, 1000);
    for (int i = 0; i < ready; i++) {
      struct connection *connection = events[i].data.ptr;
      ssize_t length = read(connection->fd, bytes, LENGTH - connection->received);
      if (length == 0 || (length == -1 && errno != EAGAIN)) fail("read");
      if (length > 0) connection->received += length;
      if (connection->received < LENGTH) continue;
      if (sample_count < MOST_SAMPLES) samples[sample_count++] = now() - connection->sent;
      count++;
      post(connection);
    }
  }
  report(count, window);
}

static void sleep_until(uint64_t time) {
  struct timespec when = {time / 1000000000ull, time % 1000000000ull};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) != 0);
}

/* A round trip that takes longer than the period puts the next one off, so that none is begun late. */
static void paced(uint64_t period, double window) {
  struct connection connection = {.fd = dial()};
  uint64_t count = 0, next = now();
  prctl(PR_SET_TIMERSLACK, 1000);
  while (counting(now(), &count)) {
    sleep_until(next);
    post(&connection);
    while (connection.received < LENGTH) {
      ssize_t length = read(connection.fd, bytes, LENGTH - connection.received);
      if (length <= 0) fail("read");
      connection.received += length;
    }
    if (sample_count < MOST_SAMPLES) samples[sample_count++] = now() - connection.sent;
    count++;
    next += period;
    if (next < now()) next = now() + period;
  }
  report(count, window);
}

static void bulk(int to, double window) {
  int fd = dial();
  uint64_t count = 0;
  while (counting(now(), &count)) {
    ssize_t length = to ? write(fd, bytes, CHUNK) : read(fd, bytes, CHUNK);
    if (length <= 0) fail(to ? "write" : "read");
    count += length;
  }
  printf("{\"count\":%f,\"rate\":%f}\n", count / 1048576.0, count / 1048576.0 / window);
}

/* A reset on our side leaves no TIME_WAIT, of which there would soon be too many. */
static void hang_up(int fd) {
  struct linger linger = {1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
  close(fd);
}

static void accepted(struct connection *connections, int many, double window) {
  int epoll = epoll_create1(0);
  struct epoll_event events[EVENTS];
  uint64_t count = 0;
  for (int i = 0; i < many; i++) {
    connections[i].fd = dial();
    watch(epoll, &connections[i]);
  }
  while (counting(now(), &count)) {
    int ready = epoll_wait(epoll, events, EVENTS, 1000);
    for (int i = 0; i < ready; i++) {
      struct connection *connection = events[i].data.ptr;
      if (read(connection->fd, bytes, 1) == -1 && errno == EAGAIN) continue;
      hang_up(connection->fd);
      count++;
      connection->fd = dial();
      watch(epoll, connection);
    }
  }
  printf("{\"count\":%llu,\"rate\":%f}\n", (unsigned long long)count, count / window);
}

static void hold(struct connection *connections, int many) {
  for (int i = 0; i < many; i++) {
    connections[i].fd = dial();
    post(&connections[i]);
    for (int length = 0; length < LENGTH;) {
      ssize_t more = read(connections[i].fd, bytes, LENGTH - length);
      if (more <= 0) fail("read");
      length += more;
    }
  }
  puts("{\"started\":true}");
  fflush(stdout);
  pause();
}

int main(int argc, char **argv) {
  if (argc < 7) return 2;
  const char *mode = argv[1];
  int many = atoi(argv[3]), idle = atoi(argv[4]);
  double window = atof(argv[6]) / 1e3;
  read_address(argv[2]);
  alarm(30 + (int)window);
  struct connection *connections = calloc(many, sizeof *connections);
  samples = malloc(MOST_SAMPLES * sizeof *samples);
  for (int i = 0; i < idle; i++) dial();
  warm = now() + (uint64_t)(atof(argv[5]) * 1e6);
  end = warm + (uint64_t)(window * 1e9);
  if (strcmp(mode, "echo") == 0) echo(connections, many, window);
  else if (strcmp(mode, "paced") == 0 && argc > 7) paced((uint64_t)(atof(argv[7]) * 1e3), window);
  else if (strcmp(mode, "accept") == 0) accepted(connections, many, window);
  else if (strcmp(mode, "hold") == 0) hold(connections, many);
  else bulk(strcmp(mode, "to") == 0, window);
  return 0;
}
