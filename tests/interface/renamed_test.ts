import { assert, assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { missingMountNamespaces } from "../support/hosts.ts";
import { run } from "../support/process.ts";
import { noShim, Shim } from "../support/shim.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";

const reason = noShim ?? await missingMountNamespaces();

const PROGRAM = new URL("./programs/listed.ts", import.meta.url).pathname;

/** What is asked about loopback's MTU fails so many times: the kernel knows no interface by the name that it had when the
 * list was made. */
const renaming = (times: number) => `
#define _GNU_SOURCE
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int times = ${times};

int ioctl(int fd, unsigned long request, ...) {
  __builtin_va_list rest;
  __builtin_va_start(rest, request);
  void *argument = __builtin_va_arg(rest, void *);
  __builtin_va_end(rest);
  if (request == SIOCGIFMTU && times > 0 && strcmp(((struct ifreq *)argument)->ifr_name, "lo") == 0) {
    times--;
    errno = ENODEV;
    return -1;
  }
  return syscall(SYS_ioctl, fd, request, argument);
}
`;

/** What interfaces() lists over such a library, in a network that is loopback alone. */
async function listed(times: number): Promise<string> {
  await using shim = await Shim.build(renaming(times));
  const deno = [Deno.execPath(), "run", "-A", "--no-prompt", PROGRAM];
  const { success, stdout, report } = await run("unshare", ["--net", ...deno], { env: { BERKELEY_LIBC: shim.path } });
  assert(success, report);
  return stdout.trim();
}

describe("interfaces() of one that is renamed while it is listed", TIMEOUT, () => {
  itUnless(reason, "lists again, and leaves out what never answers", async () => {
    assertEquals(await listed(1), "lo 65536");
    assertEquals(await listed(1000), "");
  });
});
