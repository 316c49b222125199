import { assert, assertEquals, assertFalse } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { libc } from "../../ffi/libc/libc.ts";
import {
  ERRORS,
  HANGUP,
  LOOP_SLOT,
  MAX_EVENTS,
  MAX_WAIT,
  READABLE,
  WAKE_SLOT,
  WRITABLE,
} from "../../ffi/poll/poller.ts";
import { listenDatagram, sockopt } from "../../mod.ts";
import { itUnless } from "../support/skipping.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { backends, drain, fill, newToken, openPollers, Pair, poll, wait, writeByte } from "./support.ts";

noDescriptorLeaks({ prepare: openPollers });

for (const [name, open] of Object.entries(backends)) {
  describe(`${name} reports`, { timeout: 60_000 }, () => {
    it("new data, and data that was there before", () => {
      const poller = open();
      using pair = new Pair();
      const token = newToken();
      poller.add(pair.left, token, READABLE);
      assertEquals(poll(poller), new Map());
      writeByte(pair.right);
      assertEquals(poll(poller), new Map([[token.slot, READABLE]]));
      poller.delete(pair.left, token);
      const again = newToken();
      poller.add(pair.left, again, READABLE);
      assertEquals(poll(poller), new Map([[again.slot, READABLE]]));
      poller.delete(pair.left, again);
    });

    it("data that arrives between a failed attempt and the next watch", () => {
      const poller = open();
      using pair = new Pair();
      const token = newToken();
      poller.add(pair.left, token, READABLE);
      for (let round = 0; round < 3; round++) {
        writeByte(pair.right);
        assertEquals(poll(poller), new Map([[token.slot, READABLE]]));
        assertEquals(drain(pair.left), 1);
        writeByte(pair.right);
        poller.modify(pair.left, token, READABLE);
        assertEquals(poll(poller), new Map([[token.slot, READABLE]]));
        drain(pair.left);
        poller.modify(pair.left, token, READABLE);
        assertEquals(poll(poller), new Map());
      }
      poller.delete(pair.left, token);
    });

    it("writability, and only when there is room", () => {
      const poller = open();
      using pair = new Pair();
      const token = newToken();
      fill(pair.left);
      poller.add(pair.left, token, WRITABLE);
      assertEquals(poll(poller), new Map());
      drain(pair.right);
      assertEquals(poll(poller), new Map([[token.slot, WRITABLE]]));
      poller.delete(pair.left, token);
    });

    it("both directions when both are watched", () => {
      const poller = open();
      using pair = new Pair();
      const token = newToken();
      poller.add(pair.left, token, READABLE);
      assertEquals(poll(poller), new Map());
      poller.modify(pair.left, token, READABLE | WRITABLE);
      assertEquals(poll(poller), new Map([[token.slot, WRITABLE]]));
      writeByte(pair.right);
      assert((poll(poller).get(token.slot)! & READABLE) !== 0);
      poller.delete(pair.left, token);
    });

    it("the end in every watched direction", () => {
      const poller = open();
      using pair = new Pair();
      const token = newToken();
      poller.add(pair.left, token, READABLE | WRITABLE);
      poll(poller);
      pair.close(pair.right);
      // Where the system has queues of errors, an end may be one of those.
      assertEquals(poll(poller).get(token.slot)! & ~ERRORS, READABLE | WRITABLE | HANGUP);
      poller.delete(pair.left, token);
    });

    itUnless(
      sockopt.IP_RECVERR.supported ? null : "no IP_RECVERR here",
      "errors alone, where nothing else is watched",
      async () => {
        const poller = open();
        using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1", errors: true });
        using gone = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
        const { fd } = udp.socket;
        const token = newToken();
        poller.add(fd, token, ERRORS);
        await udp.send(new Uint8Array(1), udp.addr);
        assertEquals(poll(poller), new Map());
        const { addr } = gone;
        gone.close();
        await udp.send(new Uint8Array(1), addr);
        assertEquals(poll(poller), new Map([[token.slot, READABLE | WRITABLE | HANGUP | ERRORS]]));
        assertEquals(poll(poller), new Map());
        poller.delete(fd, token);
      },
    );

    it("the end of one direction", () => {
      const poller = open();
      using pair = new Pair();
      const token = newToken();
      poller.add(pair.left, token, READABLE);
      libc().c.shutdown(pair.right, libc().system.constants.SHUT_WR);
      assert((poll(poller).get(token.slot)! & READABLE) !== 0);
      poller.delete(pair.left, token);
    });

    it(`more than ${MAX_EVENTS} events, in several polls`, () => {
      const poller = open();
      using stack = new DisposableStack();
      const watched = Array.from({ length: MAX_EVENTS + 50 }, () => {
        const pair = stack.use(new Pair());
        const token = newToken();
        poller.add(pair.left, token, READABLE);
        writeByte(pair.right);
        return [pair.left, token] as const;
      });
      const seen = new Set<number>();
      for (let round = 0; round < 3; round++) for (const token of poll(poller).keys()) seen.add(token);
      assertEquals(seen, new Set(watched.map(([, token]) => token.slot)));
      for (const [fd, token] of watched) poller.delete(fd, token);
      assertEquals(poll(poller), new Map());
    });
  });

  describe(`${name} removes`, { timeout: 60_000 }, () => {
    it("a descriptor whose number comes back under another token", () => {
      const poller = open();
      const old = newToken();
      using first = new Pair();
      poller.add(first.left, old, READABLE);
      writeByte(first.right);
      poller.delete(first.left, old);
      first.close(first.left);
      using second = new Pair();
      assertEquals(second.left, first.left);
      const token = newToken();
      poller.add(second.left, token, READABLE);
      assertEquals(poll(poller), new Map());
      writeByte(second.right);
      assertEquals(poll(poller), new Map([[token.slot, READABLE]]));
      poller.delete(second.left, token);
    });

    it("a descriptor of a socket that a duplicate keeps open", () => {
      const poller = open();
      using pair = new Pair();
      const { F_DUPFD_CLOEXEC } = libc().system.constants;
      const duplicate = libc().c.fcntl(pair.left, F_DUPFD_CLOEXEC, 3);
      const token = newToken();
      poller.add(pair.left, token, READABLE);
      poller.delete(pair.left, token);
      pair.close(pair.left);
      writeByte(pair.right);
      assertEquals(poll(poller), new Map());
      assertEquals(drain(duplicate), 1);
      libc().c.close(duplicate);
    });

    it("a descriptor that it does not watch, silently", () => {
      const poller = open();
      using pair = new Pair();
      poller.delete(pair.left, newToken());
      assertEquals(poll(poller), new Map());
    });
  });

  describe(`${name} watches the event loop`, { timeout: 60_000 }, () => {
    it("in polls, for as long as its descriptor is readable, and not in waits", async () => {
      const poller = open();
      using loop = new Pair();
      using pair = new Pair();
      if (!poller.watchLoop(loop.left)) return assertEquals(name, "Kqueue");
      const token = newToken();
      poller.add(pair.left, token, READABLE);
      assertEquals(poll(poller), new Map());
      writeByte(loop.right);
      for (let round = 0; round < 2; round++) assertEquals(poll(poller, 1), new Map([[LOOP_SLOT, READABLE]]));
      const waiting = wait(poller);
      writeByte(pair.right);
      assertEquals(await waiting, new Map([[token.slot, READABLE]]));
      assertEquals(poll(poller), new Map([[LOOP_SLOT, READABLE]]));
      drain(loop.left);
      assertEquals(poll(poller), new Map());
      writeByte(loop.right);
      assertFalse(poller.watchLoop(-1));
      assertEquals(poll(poller), new Map());
      poller.delete(pair.left, token);
    });
  });

  describe(`${name} waits`, { timeout: 60_000 }, () => {
    it("until there is an event", async () => {
      const poller = open();
      using pair = new Pair();
      const token = newToken();
      poller.add(pair.left, token, READABLE);
      const waiting = wait(poller);
      writeByte(pair.right);
      assertEquals(await waiting, new Map([[token.slot, READABLE]]));
      poller.delete(pair.left, token);
    });

    it("for descriptors that are added while it waits", async () => {
      const poller = open();
      using pair = new Pair();
      writeByte(pair.right);
      const waiting = wait(poller);
      const token = newToken();
      poller.add(pair.left, token, READABLE);
      assertEquals(await waiting, new Map([[token.slot, READABLE]]));
      poller.delete(pair.left, token);
    });

    it("no longer for descriptors that are removed meanwhile", async () => {
      const poller = open();
      using first = new Pair();
      using second = new Pair();
      const [gone, token] = [newToken(), newToken()];
      poller.add(first.left, gone, READABLE);
      poller.add(second.left, token, READABLE);
      const waiting = wait(poller);
      poller.delete(first.left, gone);
      writeByte(first.right);
      writeByte(second.right);
      assertEquals(await waiting, new Map([[token.slot, READABLE]]));
      poller.delete(second.left, token);
    });

    it("until it is woken, before or while it waits", async () => {
      const poller = open();
      const waiting = poller.wait(MAX_WAIT);
      poller.wake();
      assertWoken(await waiting);
      poller.wake();
      assertWoken(await poller.wait(MAX_WAIT));

      function assertWoken(count: number): void {
        for (let index = 0; index < count; index++) assertEquals(poller.slot(index), WAKE_SLOT);
      }
    });

    it("on this thread for a limited time, or until there is an event", () => {
      const poller = open();
      using pair = new Pair();
      const token = newToken();
      poller.add(pair.left, token, READABLE);
      for (const milliseconds of [0, 0.1, 1]) {
        assertEquals(poll(poller, milliseconds), new Map());
        writeByte(pair.right);
        assertEquals(poll(poller, milliseconds), new Map([[token.slot, READABLE]]));
        drain(pair.left);
        poller.modify(pair.left, token, READABLE);
      }
      poller.delete(pair.left, token);
    });

    it("on a thread while this one polls, and either may report events", async () => {
      const poller = open();
      using pair = new Pair();
      const token = newToken();
      poller.add(pair.left, token, READABLE);
      let told = false;
      const waiting = poller.wait(MAX_WAIT).then((count) => {
        for (let index = 0; index < count; index++) told ||= poller.slot(index) === token.slot;
      });
      writeByte(pair.right);
      told = poll(poller).has(token.slot);
      poller.wake();
      await waiting;
      assert(told);
      poller.delete(pair.left, token);
    });

    it("for a limited time: without events it returns none", async () => {
      const poller = open();
      // What was written to wake it may still be told.
      for (let round = 0; round < 3; round++) if (await poller.wait(MAX_WAIT) === 0) return;
      assertFalse(true, "Three waits in a row told something");
    });
  });
}
