import { assert, assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { startDeno } from "../support/process.ts";
import { noShim, Shim } from "../support/shim.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { noMulticastInterface } from "./support.ts";

const PROGRAM = new URL("./programs/older_groups.ts", import.meta.url);

/** A kernel without the options of RFC 3678, as gVisor and qemu-user are: MCAST_JOIN_GROUP to MCAST_MSFILTER. */
const WITHOUT_MCAST = `
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <sys/syscall.h>
#include <unistd.h>

int setsockopt(int fd, int level, int name, const void *value, socklen_t length) {
  if ((level == IPPROTO_IP || level == IPPROTO_IPV6) && name >= MCAST_JOIN_GROUP && name <= MCAST_MSFILTER) {
    errno = ENOPROTOOPT;
    return -1;
  }
  return syscall(SYS_setsockopt, fd, level, name, value, length);
}
`;

describe("Memberships on a kernel without MCAST_JOIN_GROUP", TIMEOUT, () => {
  itUnless(noShim ?? noMulticastInterface, "are made with the older options, filtered, blocked and left", async () => {
    await using shim = await Shim.build(WITHOUT_MCAST);
    await using child = startDeno(PROGRAM, { env: { BERKELEY_LIBC: shim.path } });
    const { success, stdout, report } = await child.finished();
    assert(success, report);
    assertEquals(JSON.parse(stdout), {
      "MCAST_JOIN_GROUP": "ENOPROTOOPT",
      "before it joined": [],
      "joined": ["from 127.0.0.1", "from 127.0.0.2"],
      "one source blocked": ["from 127.0.0.1"],
      "unblocked": ["from 127.0.0.1", "from 127.0.0.2"],
      "left": [],
      "of one source": ["from 127.0.0.2"],
      "of one source, left": [],
      "joined twice": "AddrInUse: EADDRINUSE",
      "left twice": "AddrNotAvailable: EADDRNOTAVAIL",
      "an IPv6 group": [["lo", "ff12::41:1"]],
      "an IPv6 group, left": [],
      "a source of an IPv6 group": "Error: ENOPROTOOPT",
      "an IPv4 group on a dual-stack socket": ["from 127.0.0.1", "from 127.0.0.2"],
    });
  });
});
