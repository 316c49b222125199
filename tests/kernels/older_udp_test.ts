import { assert, assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { startDeno } from "../support/process.ts";
import { noShim, Shim } from "../support/shim.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";

const PROGRAM = new URL("./programs/older_udp.ts", import.meta.url);

/** A kernel before 4.18, as WSL 1 says it is: it does not know UDP_SEGMENT and UDP_GRO, and passes over control messages
 * of a level that it does not know. Nor does it know SO_TIMESTAMPNS, as some emulations do not. */
const OLDER = `
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int is_unknown(int level, int name) {
  return (level == IPPROTO_UDP && (name == 103 || name == 104)) || (level == SOL_SOCKET && name == SO_TIMESTAMPNS);
}

static int refuse(void) {
  errno = ENOPROTOOPT;
  return -1;
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t length) {
  return is_unknown(level, name) ? refuse() : syscall(SYS_setsockopt, fd, level, name, value, length);
}

int getsockopt(int fd, int level, int name, void *value, socklen_t *length) {
  return is_unknown(level, name) ? refuse() : syscall(SYS_getsockopt, fd, level, name, value, length);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
  struct msghdr passed = *message;
  struct cmsghdr *control = CMSG_FIRSTHDR(message);
  if (control != NULL && control->cmsg_level == IPPROTO_UDP) passed.msg_controllen = 0;
  return syscall(SYS_sendmsg, fd, &passed, flags);
}
`;

describe("A kernel without UDP_GRO, UDP_SEGMENT and SO_TIMESTAMPNS", TIMEOUT, () => {
  itUnless(noShim, "has sockets that do the same without them", async () => {
    await using shim = await Shim.build(OLDER);
    await using child = startDeno(PROGRAM, { env: { BERKELEY_LIBC: shim.path } });
    const { success, stdout, report } = await child.finished();
    assert(success, report);
    assertEquals(JSON.parse(stdout), {
      "UDP_GRO, set by name": "ENOPROTOOPT",
      "segments": [1000, 1000, 500],
      "taken over": [7],
      "a batch, by default": [9000, false],
      "a batch with maxLength": [100, true],
      "a batch without receiveOffload": [2048, true],
      "receiveMessage()": [9000, false],
      "a timestamp": true,
    });
  });
});
