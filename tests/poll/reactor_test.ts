import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { READABLE, WRITABLE } from "../../ffi/poll/poller.ts";
import { Reactor } from "../../ffi/poll/reactor.ts";
import type { Registration, Watcher } from "../../ffi/poll/registrations.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { settled, turns } from "../support/turns.ts";
import { backends, drain, openPollers, Pair, writeByte } from "./support.ts";

noDescriptorLeaks({ prepare: openPollers });

/** Remembers what it was told, and lets tests wait for it. */
class Listener implements Watcher {
  readonly told: number[] = [];
  #next: PromiseWithResolvers<number> = Promise.withResolvers();
  readonly #then: (readiness: number) => void;

  constructor(then: (readiness: number) => void = () => {}) {
    this.#then = then;
  }

  /** The next report. */
  get next(): Promise<number> {
    return this.#next.promise;
  }

  fail(error: unknown): void {
    throw error;
  }

  ready(readiness: number): void {
    this.told.push(readiness);
    this.#then(readiness);
    this.#next.resolve(readiness);
    this.#next = Promise.withResolvers();
  }
}

/** A wait that lasts for a block. */
function waiting(reactor: Reactor, holds = true): Disposable {
  reactor.addWaiter(holds);
  return { [Symbol.dispose]: () => reactor.removeWaiter(holds) };
}

/** What holds the process for a block in which no socket does. */
function held(): Disposable {
  const timer = setInterval(() => {}, 1000);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

for (const [name, open] of Object.entries(backends)) {
  const reactor = new Reactor(open);

  /** Lets every test end without a thread that still waits. */
  afterEach(async () => {
    while (reactor.leaving) await new Promise((resolve) => setTimeout(resolve, 1));
  });

  describe(`The Reactor over ${name}`, { timeout: 60_000 }, () => {
    for (const [when, pause] of [["at once", null], ["while its thread waits", settled]] as const) {
      it(`reports readiness ${when}`, async () => {
        using pair = new Pair();
        const listener = new Listener();
        const token = reactor.add(pair.left, listener, READABLE);

        using _wait = waiting(reactor);
        await pause?.();
        const told = listener.next;
        writeByte(pair.right);
        assertEquals(await told & READABLE, READABLE);
        reactor.delete(pair.left, token);
      });
    }

    it("reports readiness also when all waiters are unref'd", async () => {
      using pair = new Pair();
      const listener = new Listener();
      const token = reactor.add(pair.left, listener, READABLE);

      using _wait = waiting(reactor, false);
      using _process = held();
      await settled();
      const told = listener.next;
      writeByte(pair.right);
      await told;
      reactor.delete(pair.left, token);
    });

    it("reports nothing without waiters, and missed readiness as soon as there is one", async () => {
      using pair = new Pair();
      const listener = new Listener();
      const token = reactor.add(pair.left, listener, READABLE);

      // The last look of a wait that is over.
      await settled();
      writeByte(pair.right);
      await settled();
      assertEquals(listener.told, []);
      const told = listener.next;
      using _wait = waiting(reactor);
      assertEquals(await told, READABLE);
      reactor.delete(pair.left, token);
    });

    it("continues when a waiter is unref'd and ref'd again", async () => {
      using pair = new Pair();
      const listener = new Listener();
      const token = reactor.add(pair.left, listener, READABLE);

      using _process = held();
      reactor.addWaiter(true);
      for (const holding of [-1, 1, -1, 1]) {
        await settled();
        reactor.changeReferenced(holding);
        await turns(5);
        const told = listener.next;
        writeByte(pair.right);
        await told;
        drain(pair.left);
        reactor.modify(pair.left, token, READABLE);
      }
      reactor.removeWaiter(true);
      reactor.delete(pair.left, token);
    });

    it("does not report the events of an earlier socket with the same number", async () => {
      using first = new Pair();
      using second = new Pair();
      const opened: Pair[] = [];
      const latecomer = new Listener();
      // The first one to be called closes the other, whose event has already been read, and opens a socket in its place.
      const replace = (mine: Pair, other: Pair) => () => {
        if (opened.length > 0) return;
        reactor.delete(other.left, tokens.get(other)!);
        other.close(other.left);
        const pair = new Pair();
        opened.push(pair);
        const token = reactor.add(pair.left, latecomer, READABLE);

        tokens.set(pair, token);
        assertEquals(pair.left, other.left);
        assert(mine.left !== other.left);
      };
      const listeners = [new Listener(replace(first, second)), new Listener(replace(second, first))];
      const tokens = new Map<Pair, Registration>();
      for (const [index, pair] of [first, second].entries()) {
        const token = reactor.add(pair.left, listeners[index]!, READABLE);
        tokens.set(pair, token);
        writeByte(pair.right);
      }
      using _wait = waiting(reactor);
      await settled();
      assertEquals(listeners.flatMap(({ told }) => told), [READABLE]);
      assertEquals(latecomer.told, []);
      const [pair] = opened;
      const told = latecomer.next;
      writeByte(pair!.right);
      assertEquals(await told, READABLE);
      for (const [one, token] of tokens) reactor.delete(one.left, token);
      pair![Symbol.dispose]();
    });

    it("serves hundreds of sockets, each with its own events", async () => {
      using stack = new DisposableStack();
      using _wait = waiting(reactor);
      const sockets = Array.from({ length: 400 }, () => {
        const pair = stack.use(new Pair());
        const listener = new Listener();
        const token = reactor.add(pair.left, listener, READABLE);

        return { pair, listener, token };
      });
      for (let round = 0; round < 3; round++) {
        const odd = sockets.filter((_, index) => index % 2 === round % 2);
        const told = odd.map(({ listener }) => listener.next);
        for (const { pair } of odd) writeByte(pair.right);
        await Promise.all(told);
        for (const { pair, token } of odd) {
          drain(pair.left);
          reactor.modify(pair.left, token, READABLE);
        }
      }
      assertEquals(
        sockets.map(({ listener }) => listener.told.length % 3),
        sockets.map((_, index) => index % 2 === 0 ? 2 : 1),
      );
      for (const { pair, token } of sockets) reactor.delete(pair.left, token);
    });

    it("calls those scheduled for the next turn in order and once", async () => {
      const order: number[] = [];
      const done = Promise.withResolvers<void>();
      const watchers = [1, 2, 3].map((number): Watcher => ({
        fail() {},
        ready(readiness) {
          assertEquals(readiness, READABLE | WRITABLE);
          order.push(number);
          if (number === 3) done.resolve();
        },
      }));
      for (const watcher of watchers) reactor.schedule(watcher);
      assertEquals(order, []);
      await done.promise;
      using _wait = waiting(reactor);
      await turns(5);
      assertEquals(order, [1, 2, 3]);
    });

    it("lets timers and other work run while a socket is scheduled again and again", async () => {
      using _wait = waiting(reactor);
      let asked = 0;
      let going = true;
      const busy: Watcher = {
        fail() {},
        ready() {
          asked++;
          if (going) reactor.schedule(busy);
        },
      };
      reactor.schedule(busy);
      await new Promise((resolve) => setTimeout(resolve, 1));
      using pair = new Pair();
      const listener = new Listener();
      const token = reactor.add(pair.left, listener, READABLE);

      const told = listener.next;
      writeByte(pair.right);
      await told;
      going = false;
      assert(asked > 0);
      reactor.delete(pair.left, token);
      await turns(2);
    });
  });
}
