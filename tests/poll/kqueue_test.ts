/**
 * The poller of macOS and FreeBSD over a kevent(2) that is a function of JavaScript, with what a real one returns when
 * descriptors, filters and calls fail.
 *
 * @module
 */
import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { SocketError } from "../../mod.ts";
import { encodeInet, parseHost } from "../../ffi/address/address.ts";
import { Connecting } from "../../ffi/io/connect.ts";
import { type Descriptor, openDescriptor } from "../../ffi/io/descriptor.ts";
import { OperationQueue } from "../../ffi/io/operation_queue.ts";
import { freebsd } from "../../ffi/libc/freebsd.ts";
import { libc } from "../../ffi/libc/libc.ts";
import { macos_x86_64 } from "../../ffi/libc/macos.ts";
import { Kqueue } from "../../ffi/poll/kqueue.ts";
import { HANGUP, MAX_WAIT, READABLE, WAKE_SLOT, WRITABLE } from "../../ffi/poll/poller.ts";
import { Reactor } from "../../ffi/poll/reactor.ts";
import type { Registration, Watcher } from "../../ffi/poll/registrations.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { LOOPBACK } from "../support/loopback.ts";
import { isPending, rejection } from "../support/promises.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { Blackhole, NO_BLACKHOLE } from "../tcp/blackhole.ts";
import { EV_ADD, EV_DELETE, EV_EOF, EV_ERROR, EVFILT_READ, EVFILT_WRITE, FakeKqueue } from "./fake_kqueue.ts";
import { newToken, poll } from "./support.ts";

noDescriptorLeaks();

/** EVFILT_USER and sizeof(struct kevent) of <sys/event.h>. */
const SYSTEMS = [
  { system: macos_x86_64, userFilter: -10, size: 32 },
  { system: freebsd, userFilter: -11, size: 64 },
] as const;

/** Any descriptor: the fake does not look at it. */
const FD = 7;

for (const { system, userFilter, size } of SYSTEMS) {
  const { EBADF, EINTR, ENOENT, ENOMEM, EPIPE } = system.errors as Record<string, number>;

  const open = (): { kqueue: FakeKqueue; poller: Kqueue } => {
    const kqueue = new FakeKqueue(system, userFilter, size);
    return { kqueue, poller: new Kqueue(kqueue.libc) };
  };

  describe(`Kqueue with the structures of ${system.name}`, TIMEOUT, () => {
    it("has a filter for each direction that is watched, and deletes each", () => {
      const { kqueue, poller } = open();
      const token = newToken();
      poller.add(FD, token, READABLE);
      assertEquals(kqueue.filters, [`${FD} ${EVFILT_READ}`]);
      poller.modify(FD, token, READABLE | WRITABLE);
      assertEquals(kqueue.filters, [`${FD} ${EVFILT_READ}`, `${FD} ${EVFILT_WRITE}`]);
      poller.delete(FD, token);
      assertEquals(kqueue.filters, []);
    });

    const ENDS = [
      { filter: EVFILT_READ, flags: 0, expected: READABLE },
      { filter: EVFILT_READ, flags: EV_EOF, expected: READABLE | HANGUP },
      { filter: EVFILT_READ, flags: EV_ERROR, expected: READABLE | HANGUP },
      { filter: EVFILT_WRITE, flags: 0, expected: WRITABLE },
      { filter: EVFILT_WRITE, flags: EV_EOF, expected: READABLE | WRITABLE | HANGUP },
      { filter: EVFILT_WRITE, flags: EV_ERROR, expected: READABLE | WRITABLE | HANGUP },
    ];
    for (const { filter, flags, expected } of ENDS) {
      it(`reports filter ${filter} with flags 0x${flags.toString(16)} as readiness ${expected}`, () => {
        const { kqueue, poller } = open();
        const token = newToken();
        poller.add(FD, token, READABLE | WRITABLE);
        kqueue.report(FD, filter, flags, system.errors.ECONNRESET);
        assertEquals(poll(poller), new Map([[token.slot, expected]]));
        assertEquals(poll(poller), new Map());
      });
    }

    for (const errno of [EBADF, ENOENT]) {
      it(`deletes what a close elsewhere has deleted before: errno ${errno}`, () => {
        const { kqueue, poller } = open();
        const token = newToken();
        poller.add(FD, token, READABLE | WRITABLE);
        kqueue.refuse(EVFILT_READ, EV_DELETE, errno!);
        poller.delete(FD, token);
        assertEquals(kqueue.filters, [`${FD} ${EVFILT_READ}`], "The other filter is deleted all the same");
      });
    }

    it("adds no filter where one of two is refused, and both once they are not", () => {
      const { kqueue, poller } = open();
      const token = newToken();
      kqueue.refuse(EVFILT_WRITE, EV_ADD, ENOMEM!);
      const error = assertThrows(() => poller.add(FD, token, READABLE | WRITABLE)) as SocketError;
      assertEquals([error.code, error.syscall], ["ENOMEM", "kevent"]);
      assertEquals(kqueue.filters, []);
      kqueue.allow();
      poller.add(FD, token, READABLE | WRITABLE);
      assertEquals(kqueue.filters.length, 2);
    });

    it("keeps the filter there is where another is refused", () => {
      const { kqueue, poller } = open();
      const token = newToken();
      poller.add(FD, token, READABLE);
      kqueue.refuse(EVFILT_WRITE, EV_ADD, ENOMEM!);
      assertThrows(() => poller.modify(FD, token, READABLE | WRITABLE), Error, "ENOMEM");
      kqueue.report(FD, EVFILT_READ);
      assertEquals(poll(poller), new Map([[token.slot, READABLE]]));
      kqueue.allow();
      poller.modify(FD, token, READABLE | WRITABLE);
      poller.delete(FD, token);
      assertEquals(kqueue.filters, []);
    });

    it("takes a change that was interrupted as made", () => {
      const { kqueue, poller } = open();
      const token = newToken();
      for (const flag of [EV_ADD, EV_DELETE]) kqueue.refuse(EVFILT_READ, flag, EINTR!, true);
      poller.add(FD, token, READABLE);
      assertEquals(kqueue.filters, [`${FD} ${EVFILT_READ}`]);
      poller.delete(FD, token);
      assertEquals(kqueue.filters, []);
    });

    it("reports a hang-up of a pipe whose reader has closed, which gets no filter for writing", () => {
      const { kqueue, poller } = open();
      const token = newToken();
      kqueue.refuse(EVFILT_WRITE, EV_ADD, EPIPE!);
      poller.add(FD, token, WRITABLE);
      assertEquals(poll(poller), new Map([[token.slot, READABLE | WRITABLE | HANGUP]]));
      assertEquals(poll(poller), new Map());
      poller.delete(FD, token);
      assertEquals(kqueue.filters, []);
      const again = newToken();
      poller.add(FD, again, WRITABLE);
      poller.delete(FD, again);
      assertEquals(poll(poller), new Map(), "Nothing is reported of what was deleted");
    });

    it("reports no events where a poll or a wait was interrupted", async () => {
      const { kqueue, poller } = open();
      kqueue.failure = EINTR!;
      assertEquals(poller.poll(0), 0);
      assertEquals(await poller.wait(MAX_WAIT), 0);
    });

    it("fails where its queue was closed elsewhere, in polls and waits, but not in wake()", async () => {
      const { kqueue, poller } = open();
      kqueue.closed = true;
      poller.wake();
      assertThrows(() => poller.poll(0), Deno.errors.BadResource, "EBADF");
      await assertRejects(() => poller.wait(MAX_WAIT), Deno.errors.BadResource, "EBADF");
    });

    it("is woken by EVFILT_USER, before and while it waits", async () => {
      const { poller } = open();
      poller.wake();
      poller.wake();
      assertEquals([await poller.wait(MAX_WAIT), poller.slot(0)], [1, WAKE_SLOT]);
      const waiting = poller.wait(MAX_WAIT);
      assert(await isPending(waiting));
      poller.wake();
      assertEquals([await waiting, poller.slot(0)], [1, WAKE_SLOT]);
    });

    it("ends a wait without events after its time", async () => {
      const { poller } = open();
      assertEquals(await poller.wait(1), 0);
    });

    it("closes its queue where EVFILT_USER is refused", () => {
      const kqueue = new FakeKqueue(system, userFilter, size);
      kqueue.refuse(userFilter, EV_ADD, ENOMEM!);
      assertThrows(() => new Kqueue(kqueue.libc), Error, "ENOMEM");
      assert(kqueue.closed);
    });

    it("asks again for what the system has refused to watch before", () => {
      const { kqueue, poller } = open();
      const reactor = new Reactor(() => poller);
      const watcher: Watcher = { ready() {}, fail() {} };
      const registration = reactor.add(FD, watcher, READABLE);
      kqueue.refuse(EVFILT_WRITE, EV_ADD, ENOMEM!);
      assertThrows(() => reactor.modify(FD, registration, WRITABLE), Error, "ENOMEM");
      assertEquals(registration.interest, READABLE);
      reactor.delete(FD, registration);
      assertEquals(kqueue.filters, []);
    });

    itUnless(NO_BLACKHOLE, "ends a dial whose error another call has read", async () => {
      const { kqueue, poller } = open();
      using blackhole = await Blackhole.open(LOOPBACK);
      const { constants, options } = libc().system;
      const descriptor = openDescriptor(constants.AF_INET, constants.SOCK_STREAM, 0);
      const { fd } = descriptor;
      const sockaddr = encodeInet(parseHost(LOOPBACK, blackhole.addr.port)!);
      const dialling = new Dial(poller, descriptor).run(new Connecting(descriptor, sockaddr, "the blackhole"));
      assert(await isPending(dialling));
      assertEquals(kqueue.filters, [`${fd} ${EVFILT_WRITE}`]);
      // Its error is ECONNRESET, which is read once.
      libc().c.shutdown(fd, constants.SHUT_RDWR);
      const value = new Int32Array(1);
      const { level, name } = options.SO_ERROR!;
      libc().c.getsockopt(fd, level, name, value, Uint32Array.of(4));
      assertEquals(value[0], libc().system.errors.ECONNRESET);
      kqueue.report(fd, EVFILT_WRITE, EV_EOF, system.errors.ECONNRESET);
      const error = await rejection(dialling) as SocketError;
      assertInstanceOf(error, Deno.errors.ConnectionAborted, String(error));
      assertEquals([error.code, error.syscall], ["ECONNABORTED", "connect"]);
      descriptor.close();
    });
  });
}

/** The queue of writes of a descriptor, over a Reactor of its own. */
class Dial implements Watcher {
  readonly #reactor: Reactor;
  readonly #descriptor: Descriptor;
  readonly #queue: OperationQueue;
  #registration: Registration | null = null;

  constructor(poller: Kqueue, descriptor: Descriptor) {
    this.#reactor = new Reactor(() => poller);
    this.#descriptor = descriptor;
    this.#queue = new OperationQueue({
      refusal: () => null,
      watch: (interest) => {
        this.#registration ??= this.#reactor.add(descriptor.fd, this, interest);
      },
      schedule: () => this.#reactor.schedule(this),
      spend: () => true,
      addWaiter: () => this.#reactor.addWaiter(true),
      removeWaiter: () => this.#reactor.removeWaiter(true),
    }, WRITABLE);
  }

  async run(operation: Connecting): Promise<void> {
    try {
      await this.#queue.run(operation);
    } finally {
      this.#reactor.delete(this.#descriptor.fd, this.#registration!);
    }
  }

  ready(readiness: number): void {
    this.#queue.ready((readiness & HANGUP) !== 0);
  }

  fail(error: unknown): void {
    this.#queue.cancelAll(() => error);
  }
}
