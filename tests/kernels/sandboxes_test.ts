import { assert, assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { run } from "../support/process.ts";
import { noSandbox, Sandbox } from "../support/sandbox.ts";
import { noShim, Shim } from "../support/shim.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { EVERY_KIND, WHOLE } from "./support.ts";

/** A system without /proc: what is there cannot be opened or read. */
const WITHOUT_PROC = `
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int is_proc(const char *path) {
  if (strncmp(path, "/proc/", 6) != 0) return 0;
  errno = ENOENT;
  return 1;
}

int open(const char *path, int flags, ...) {
  return is_proc(path) ? -1 : syscall(SYS_openat, AT_FDCWD, path, flags, 0);
}

ssize_t readlink(const char *path, char *bytes, size_t length) {
  return is_proc(path) ? -1 : syscall(SYS_readlinkat, AT_FDCWD, path, bytes, length);
}
`;

async function everyKind(shim: Shim, ...before: string[]): Promise<unknown> {
  const [command, ...args] = [...before, Deno.execPath(), "run", "-A", "--no-prompt", EVERY_KIND.pathname];
  const { success, stdout, report } = await run(command!, args, { env: { BERKELEY_LIBC: shim.path } });
  assert(success, report);
  return JSON.parse(stdout);
}

describe("A system without /proc", TIMEOUT, () => {
  itUnless(noShim, "has sockets of every kind", async () => {
    await using shim = await Shim.build(WITHOUT_PROC);
    assertEquals(await everyKind(shim), WHOLE);
  });
});

describe("A sandbox without /proc, netlink, ppoll(2), sendfile(2) and calls of many messages", TIMEOUT, () => {
  for (const error of ["EPERM", "ENOSYS"]) {
    itUnless(
      noShim ?? noSandbox,
      `has sockets of every kind, and says why interfaces are not told: ${error}`,
      async () => {
        await using shim = await Shim.build(WITHOUT_PROC);
        await using sandbox = await Sandbox.build(["ppoll", "recvmmsg", "sendmmsg", "sendfile", "memfd_create"], error);
        const name = error === "EPERM" ? "PermissionDenied" : "Error";
        assertEquals(await everyKind(shim, sandbox.path), {
          ...WHOLE,
          "interfaces()": `${name} ${error} getifaddrs`,
          "watchInterfaces()": `${name} ${error} socket`,
          "a group on every interface": `${name} ${error} socket`,
        });
      },
    );
  }
});
