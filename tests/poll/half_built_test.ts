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

describe("A poller that cannot be made", TIMEOUT, () => {
  /** libc whose calls are made, with one argument that the kernel refuses. */
  function withEpoll(calls: Partial<Libc["c"]>): Libc {
    return Object.create(libc(), { c: { value: { ...libc().c, ...calls } } });
  }

  itUnless(notLinux, "closes what it has opened", () => {
    const { c } = libc();
    const broken = [
      withEpoll({ epoll_ctl: (_epoll, operation, fd, event) => c.epoll_ctl!(-1, operation, fd, event) }),
      withEpoll({ eventfd: () => c.eventfd!(0, -1) }),
      withEpoll({ epoll_create1: () => c.epoll_create1!(-1) }),
    ];
    const before = descriptorCount();
    for (const lib of broken) assertThrows(() => new Epoll(lib), Error, "E");
    assertEquals(descriptorCount(), before);
  });
});
