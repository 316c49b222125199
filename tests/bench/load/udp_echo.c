/* Sends every datagram back to where it came from, for a bounded time.
 *
 * udp_echo SECONDS
 *
 * Says on which port of 127.0.0.1. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  alarm(atoi(argv[1]));
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t length = sizeof address;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd == -1 || bind(fd, (struct sockaddr *)&address, length) == -1 ||
      getsockname(fd, (struct sockaddr *)&address, &length) == -1) {
    perror("bind");
    return 1;
  }
  printf("{\"port\":%d}\n", ntohs(address.sin_port));
  fflush(stdout);
  static char bytes[65536];
  for (;;) {
    length = sizeof address;
    ssize_t count = recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&address, &length);
    if (count >= 0) sendto(fd, bytes, count, 0, (struct sockaddr *)&address, length);
  }
}
