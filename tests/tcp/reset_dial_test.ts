import { assert, assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { startDeno } from "../support/process.ts";
import { noShim, Shim } from "../support/shim.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";

const PROGRAM = new URL("./programs/reset_dial.ts", import.meta.url);

/** Its listener ends, which resets what it has not accepted, when a dial has just read that there is no error. */
const RESETTING = `
#define _GNU_SOURCE
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int listener = -1;

int listen(int fd, int backlog) {
  listener = fd;
  return syscall(SYS_listen, fd, backlog);
}

int getsockopt(int fd, int level, int name, void *value, socklen_t *length) {
  int result = syscall(SYS_getsockopt, fd, level, name, value, length);
  if (level == SOL_SOCKET && name == SO_ERROR && listener != -1) {
    shutdown(listener, SHUT_RDWR);
    listener = -1;
    struct pollfd reset = { .fd = fd, .events = 0 };
    poll(&reset, 1, -1);
  }
  return result;
}
`;

describe("A dial whose peer resets the connection as it is made", TIMEOUT, () => {
  itUnless(noShim, "is reset: the error that came after SO_ERROR was read is not lost", async () => {
    await using shim = await Shim.build(RESETTING);
    await using child = startDeno(PROGRAM, { env: { BERKELEY_LIBC: shim.path } });
    const { success, stdout, report } = await child.finished();
    assert(success, report);
    assertEquals(stdout.trim(), "ConnectionReset: ECONNRESET");
  });
});
