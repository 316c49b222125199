import { assert, assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { startDeno } from "../support/process.ts";
import { noShim, Shim } from "../support/shim.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { EVERY_KIND, WHOLE } from "./support.ts";

/** A kernel, or an emulation of one, that knows the options which all systems have, packet information, and few more:
 * no IP_RECVERR, no SO_TIMESTAMPING, nothing of RFC 3678, no SO_BINDTOIFINDEX. */
const FEW_OPTIONS = `
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int is_known(int level, int name) {
  switch (level) {
    case SOL_SOCKET:
      return name == SO_TYPE || name == SO_ERROR || name == SO_ACCEPTCONN || name == SO_REUSEADDR || name == SO_BROADCAST ||
        name == SO_RCVBUF || name == SO_SNDBUF || name == SO_LINGER || name == SO_KEEPALIVE ||
        name == SO_BINDTODEVICE;
    case IPPROTO_IP:
      return name == IP_TTL || name == IP_TOS || name == IP_PKTINFO || name == IP_RECVTTL || name == IP_RECVTOS ||
        name == IP_MULTICAST_IF || name == IP_MULTICAST_TTL || name == IP_MULTICAST_LOOP ||
        name == IP_ADD_MEMBERSHIP || name == IP_DROP_MEMBERSHIP;
    case IPPROTO_IPV6:
      return name == IPV6_V6ONLY;
    case IPPROTO_TCP:
      return name == TCP_NODELAY;
    default:
      return 0;
  }
}

static int refuse(void) {
  errno = ENOPROTOOPT;
  return -1;
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t length) {
  return is_known(level, name) ? syscall(SYS_setsockopt, fd, level, name, value, length) : refuse();
}

int getsockopt(int fd, int level, int name, void *value, socklen_t *length) {
  return is_known(level, name) ? syscall(SYS_getsockopt, fd, level, name, value, length) : refuse();
}
`;

describe("A kernel that knows few options", TIMEOUT, () => {
  itUnless(noShim, "has sockets of every kind", async () => {
    await using shim = await Shim.build(FEW_OPTIONS);
    await using child = startDeno(EVERY_KIND, { env: { BERKELEY_LIBC: shim.path } });
    const { success, stdout, report } = await child.finished();
    assert(success, report);
    assertEquals(JSON.parse(stdout), WHOLE);
  });
});
