import { assert, assertEquals, assertFalse } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { libc } from "../../ffi/libc/libc.ts";
import { ENDED, MAX_EVENTS, READABLE, WAKE_TOKEN, WRITABLE } from "../../ffi/poll/poller.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { backends, drain, fill, look, newToken, openPollers, Pair, wait, writeByte } from "./support.ts";

noDescriptorLeaks({ prepare: openPollers });

for (const [name, open] of Object.entries(backends)) {
  describe(`${name} tells`, { timeout: 60_000 }, () => {
    it("of data that comes, and of data that was there before", () => {
      const poller = open();
      using pair = new Pair();
      const token = newToken();
      poller.watch(pair.left, token, READABLE);
      assertEquals(look(poller), new Map());
      writeByte(pair.right);
      assertEquals(look(poller), new Map([[token, READABLE]]));
      poller.forget(pair.left, token);
      const again = newToken();
      poller.watch(pair.left, again, READABLE);
      assertEquals(look(poller), new Map([[again, READABLE]]));
      poller.forget(pair.left, again);
    });

    it("of what comes between a try that found nothing and the next watch", () => {
      const poller = open();
      using pair = new Pair();
      const token = newToken();
      poller.watch(pair.left, token, READABLE);
      for (let round = 0; round < 3; round++) {
        writeByte(pair.right);
        assertEquals(look(poller), new Map([[token, READABLE]]));
        assertEquals(drain(pair.left), 1);
        writeByte(pair.right);
        poller.watch(pair.left, token, READABLE);
        assertEquals(look(poller), new Map([[token, READABLE]]));
        drain(pair.left);
        poller.watch(pair.left, token, READABLE);
        assertEquals(look(poller), new Map());
      }
      poller.forget(pair.left, token);
    });

    it("of room to write, and only where there is some", () => {
      const poller = open();
      using pair = new Pair();
      const token = newToken();
      fill(pair.left);
      poller.watch(pair.left, token, WRITABLE);
      assertEquals(look(poller), new Map());
      drain(pair.right);
      assertEquals(look(poller), new Map([[token, WRITABLE]]));
      poller.forget(pair.left, token);
    });

    it("of both directions once both were asked for", () => {
      const poller = open();
      using pair = new Pair();
      const token = newToken();
      poller.watch(pair.left, token, READABLE);
      assertEquals(look(poller), new Map());
      poller.watch(pair.left, token, WRITABLE);
      assertEquals(look(poller), new Map([[token, WRITABLE]]));
      writeByte(pair.right);
      assert((look(poller).get(token)! & READABLE) !== 0);
      poller.forget(pair.left, token);
    });

    it("of the end in every direction that was asked for", () => {
      const poller = open();
      using pair = new Pair();
      const token = newToken();
      poller.watch(pair.left, token, READABLE | WRITABLE);
      look(poller);
      pair.close(pair.right);
      assertEquals(look(poller), new Map([[token, READABLE | WRITABLE | ENDED]]));
      poller.forget(pair.left, token);
    });

    it("of a half that has ended", () => {
      const poller = open();
      using pair = new Pair();
      const token = newToken();
      poller.watch(pair.left, token, READABLE);
      libc().c.shutdown(pair.right, libc().system.constants.SHUT_WR);
      assert((look(poller).get(token)! & READABLE) !== 0);
      poller.forget(pair.left, token);
    });

    it(`of more than ${MAX_EVENTS} at a time, in several looks`, () => {
      const poller = open();
      using stack = new DisposableStack();
      const watched = Array.from({ length: MAX_EVENTS + 50 }, () => {
        const pair = stack.use(new Pair());
        const token = newToken();
        poller.watch(pair.left, token, READABLE);
        writeByte(pair.right);
        return [pair.left, token] as const;
      });
      const seen = new Set<number>();
      for (let round = 0; round < 3; round++) for (const token of look(poller).keys()) seen.add(token);
      assertEquals(seen, new Set(watched.map(([, token]) => token)));
      for (const [fd, token] of watched) poller.forget(fd, token);
      assertEquals(look(poller), new Map());
    });
  });

  describe(`${name} forgets`, { timeout: 60_000 }, () => {
    it("a descriptor whose number comes back under another token", () => {
      const poller = open();
      const old = newToken();
      using first = new Pair();
      poller.watch(first.left, old, READABLE);
      writeByte(first.right);
      poller.forget(first.left, old);
      first.close(first.left);
      using second = new Pair();
      assertEquals(second.left, first.left);
      const token = newToken();
      poller.watch(second.left, token, READABLE);
      assertEquals(look(poller), new Map());
      writeByte(second.right);
      assertEquals(look(poller), new Map([[token, READABLE]]));
      poller.forget(second.left, token);
    });

    it("a descriptor of a socket that a duplicate keeps open", () => {
      const poller = open();
      using pair = new Pair();
      const { F_DUPFD_CLOEXEC } = libc().system.constants;
      const duplicate = libc().c.fcntl(pair.left, F_DUPFD_CLOEXEC, 3);
      const token = newToken();
      poller.watch(pair.left, token, READABLE);
      poller.forget(pair.left, token);
      pair.close(pair.left);
      writeByte(pair.right);
      assertEquals(look(poller), new Map());
      assertEquals(drain(duplicate), 1);
      libc().c.close(duplicate);
    });

    it("what it was never asked to watch, without a word", () => {
      const poller = open();
      using pair = new Pair();
      poller.forget(pair.left, newToken());
      assertEquals(look(poller), new Map());
    });
  });

  describe(`${name} waits`, { timeout: 60_000 }, () => {
    it("until there is something to tell", async () => {
      const poller = open();
      using pair = new Pair();
      const token = newToken();
      poller.watch(pair.left, token, READABLE);
      const waiting = wait(poller);
      writeByte(pair.right);
      assertEquals(await waiting, new Map([[token, READABLE]]));
      poller.forget(pair.left, token);
    });

    it("on what is watched while it waits already", async () => {
      const poller = open();
      using pair = new Pair();
      writeByte(pair.right);
      const waiting = wait(poller);
      const token = newToken();
      poller.watch(pair.left, token, READABLE);
      assertEquals(await waiting, new Map([[token, READABLE]]));
      poller.forget(pair.left, token);
    });

    it("no longer on what is forgotten meanwhile", async () => {
      const poller = open();
      using first = new Pair();
      using second = new Pair();
      const [gone, token] = [newToken(), newToken()];
      poller.watch(first.left, gone, READABLE);
      poller.watch(second.left, token, READABLE);
      const waiting = wait(poller);
      poller.forget(first.left, gone);
      writeByte(first.right);
      writeByte(second.right);
      assertEquals(await waiting, new Map([[token, READABLE]]));
      poller.forget(second.left, token);
    });

    it("not beyond a wake, whether that comes before or while it waits", async () => {
      const poller = open();
      const waiting = poller.wait();
      poller.wake();
      assertWoken(await waiting);
      poller.wake();
      assertWoken(await poller.wait());

      function assertWoken(count: number): void {
        for (let index = 0; index < count; index++) assertEquals(poller.token(index), WAKE_TOKEN);
      }
    });

    it("not for ever: with nothing to tell it comes back empty-handed", async () => {
      const poller = open();
      // What was written to wake it may still be told.
      for (let round = 0; round < 3; round++) if (await poller.wait() === 0) return;
      assertFalse(true, "Three waits in a row told something");
    });
  });
}
