import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { UdpSocket } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { generator } from "../support/random.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { settled, turns } from "../support/turns.ts";
import { openUdp } from "./support.ts";

noDescriptorLeaks();

const STEPS = 1500;
const SOCKETS = 6;

/** Datagrams that no buffer of a socket is too small for. */
const MOST_UNHEARD = 60;

function numbered(number: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Uint32Array.of(number).buffer);
}

function numberOf(data: Uint8Array<ArrayBuffer>): number {
  return new DataView(data.buffer, data.byteOffset).getUint32(0, true);
}

/** A socket, the receives that were asked of it, and what it must have arrived by now. */
class Subject {
  readonly #sender = openUdp();
  #socket: UdpSocket = openUdp();
  #count = { sent: 0, arrived: 0, answered: -1 };
  #asked = 0;
  #waiting = new Map<number, AbortController>();

  get unheard(): number {
    return this.#count.sent - this.#count.arrived;
  }

  async send(): Promise<void> {
    await this.#sender.send(numbered(this.#count.sent++), this.#socket.addr);
  }

  /** Asks for a datagram; when it comes it must be the next one, and be given to the one who asked first. */
  ask(kind: number): void {
    const turn = this.#asked++;
    const count = this.#count;
    const controller = new AbortController();
    const { signal } = controller;
    this.#waiting.set(turn, controller);
    const data = kind === 0
      ? this.#socket.receive(new Uint8Array(4), { signal }).then(([data]) => data)
      : kind === 1
      ? this.#socket.receiveMessage({ signal }).then(({ data }) => data)
      : this.#socket.receive(undefined, { signal }).then(([data]) => data);
    data.then((data) => {
      assertEquals(numberOf(data), count.arrived++);
      assert(turn > count.answered, `The ${turn}th to ask was answered after the ${count.answered}th`);
      count.answered = turn;
    }, (reason) => {
      const known = reason === "cut" || reason instanceof Deno.errors.TimedOut ||
        reason instanceof Deno.errors.Interrupted;
      assert(known, String(reason));
    }).finally(() => this.#waiting.delete(turn));
  }

  /** Aborts one of those who wait. */
  abort(which: number): void {
    [...this.#waiting.values()][which]?.abort("cut");
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  expire(): void {
    this.#socket.setReadDeadline(new Date(0));
    this.#socket.setReadDeadline(null);
  }

  hold(holds: boolean): void {
    if (holds) this.#socket.ref();
    else this.#socket.unref();
  }

  /** Another socket in place of this one, most likely under its number; what was not arrived is gone with it. */
  replace(): void {
    this.#socket.close();
    this.#socket = openUdp();
    this.#count = { sent: 0, arrived: 0, answered: -1 };
  }

  /** Hears all that is left, and closes. */
  async finish(): Promise<void> {
    this.#socket.ref();
    for (const controller of this.#waiting.values()) controller.abort("cut");
    await turns(1);
    while (this.unheard > 0) {
      this.ask(2);
      await turns(1);
    }
    this.#socket.close();
    this.#sender.close();
  }
}

/** One step of one subject. */
async function step(subject: Subject, random: (below: number) => number): Promise<void> {
  const choice = random(100);
  if (choice < 35) return subject.unheard < MOST_UNHEARD ? await subject.send() : undefined;
  if (choice < 75) return subject.ask(random(3));
  if (choice < 85) return subject.abort(random(subject.waiting + 1));
  if (choice < 87) return subject.expire();
  if (choice < 89) return subject.hold(random(2) === 0);
  if (choice < 90) return subject.replace();
  if (choice < 99) return await turns(random(3));
  await settled();
}

describe("In any sequence of operations", TIMEOUT, () => {
  for (const seed of [1, 2, 3, 4]) {
    it(`every datagram is received once and in order, by the first waiting receive (seed ${seed})`, async () => {
      const random = generator(seed);
      const subjects = Array.from({ length: SOCKETS }, () => new Subject());
      // Sockets that do not hold the process wait too.
      const timer = setInterval(() => {}, 1000);
      for (let count = 0; count < STEPS; count++) await step(subjects[random(SOCKETS)]!, random);
      for (const subject of subjects) await subject.finish();
      clearInterval(timer);
    });
  }
});
