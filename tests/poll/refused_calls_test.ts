import { assertEquals, assertThrows } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { type Libc, libc } from "../../ffi/libc/libc.ts";
import { Epoll } from "../../ffi/poll/epoll.ts";
import { descriptorCount, noDescriptorLeaks } from "../support/descriptors.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { linuxTable } from "../support/systems.ts";

noDescriptorLeaks();

const notLinux = linuxTable ? null : "the calls are Linux's";

/** libc with some calls replaced. */
function withCalls(calls: Partial<Libc["c"]>, errno = libc().errno): Libc {
  return Object.create(libc(), { c: { value: { ...libc().c, ...calls } }, errno: { value: errno } });
}

describe("A poller that cannot be made", TIMEOUT, () => {
  itUnless(notLinux, "closes what it has opened", () => {
    const { c } = libc();
    // Each is made, with one argument that the kernel refuses.
    const broken = [
      withCalls({ epoll_ctl: (_epoll, operation, fd, event) => c.epoll_ctl!(-1, operation, fd, event) }),
      withCalls({ eventfd: () => c.eventfd!(0, -1) }),
      withCalls({ epoll_create1: () => c.epoll_create1!(-1) }),
    ];
    const before = descriptorCount();
    for (const lib of broken) assertThrows(() => new Epoll(lib), Error, "E");
    assertEquals(descriptorCount(), before);
  });
});

describe("A wait of less than a millisecond where ppoll(2) is refused", TIMEOUT, () => {
  for (const code of ["ENOSYS", "EPERM", "EINTR"]) {
    itUnless(notLinux, `is one in epoll_wait(2), but for EINTR: ${code}`, () => {
      const { c, system } = libc();
      const timeouts: number[] = [];
      using opened = new DisposableStack();
      const keep = (fd: number) => opened.adopt(fd, (fd) => void c.close(fd));
      const lib = withCalls({
        epoll_create1: (flags) => keep(c.epoll_create1!(flags)),
        eventfd: (count, flags) => keep(c.eventfd!(count, flags)),
        ppoll: () => -1,
        epoll_wait: (_epoll, _events, _most, timeout) => {
          timeouts.push(timeout);
          return 0;
        },
      }, () => system.errors[code]!);
      const poller = new Epoll(lib);
      assertEquals(poller.poll(0.1), 0);
      assertEquals(timeouts, [code === "EINTR" ? 0 : 1], "Anything else would keep a processor busy");
    });
  }
});
