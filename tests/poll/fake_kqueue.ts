/**
 * kqueue(2) and kevent(2) as functions of JavaScript: a table of filters that a test reads, and events that it reports.
 * The structures are written and read here by the offsets of <sys/event.h>, not by those of the module.
 *
 * @module
 */
import { type Libc, libc } from "../../ffi/libc/libc.ts";
import type { System } from "../../ffi/libc/system.ts";

/** <sys/event.h>: these are the same on macOS and FreeBSD. */
export const EVFILT_READ = -1;
export const EVFILT_WRITE = -2;
export const EV_ADD = 0x1;
export const EV_DELETE = 0x2;
export const EV_CLEAR = 0x20;
export const EV_ERROR = 0x4000;
export const EV_EOF = 0x8000;
export const NOTE_TRIGGER = 0x1000000;

/** The number that kqueue(2) returns: no descriptor, so that closing it does nothing. */
const QUEUE = 0x7fff_0000;

interface Kevent {
  ident: number;
  filter: number;
  flags: number;
  fflags: number;
  data: number;
  udata: bigint;
}

/** What happens to the calls that make a change of this kind. */
interface Refusal {
  filter: number;
  flag: number;
  errno: number;
  /** Whether the change is made all the same. */
  made: boolean;
}

/** A queue, and the C library that has it. */
export class FakeKqueue {
  readonly libc: Libc;
  readonly EVFILT_USER: number;
  /** Whether the poller has closed it. */
  closed = false;
  /** The errno of the next calls that ask for events; 0 is none. */
  failure = 0;
  readonly #size: number;
  readonly #filters = new Map<string, Kevent>();
  readonly #refusals: Refusal[] = [];
  /** A filter is in it once. */
  readonly #pending = new Map<string, Kevent>();
  #errno = 0;
  #wake = (): void => {};

  constructor(system: System, userFilter: number, size: number) {
    this.EVFILT_USER = userFilter;
    this.#size = size;
    const c: Partial<Libc["c"]> = {
      kqueue: () => QUEUE,
      kevent: (queue, changes, changeCount, events, room) => {
        if (queue !== QUEUE || this.closed) return this.#fail(system.errors.EBADF!);
        for (let at = 0; at < changeCount; at++) {
          const errno = this.#change(this.#read(changes as Uint8Array, at));
          if (errno !== 0) return this.#fail(errno);
        }
        if (room === 0) return 0;
        return this.failure === 0 ? this.#collect(events as Uint8Array, room) : this.#fail(this.failure);
      },
      // errno stays on the thread that made the call.
      kevent_blocking: async (_queue, _changes, _changeCount, events, room, timeout) => {
        if (this.closed || this.failure !== 0) return -1;
        if (this.#pending.size === 0) await this.#nextEvent(timeout as BigInt64Array);
        return this.closed || this.failure !== 0 ? -1 : this.#collect(events as Uint8Array, room);
      },
      close: (fd) => {
        if (fd === QUEUE) this.closed = true;
        return 0;
      },
    };
    this.libc = Object.create(libc(), {
      system: { value: system },
      c: { value: { ...libc().c, ...c } },
      errno: { value: () => this.#errno },
    });
  }

  /** The filters there are: "ident filter", with the registration in udata. */
  get filters(): string[] {
    return Array.from(this.#filters.keys()).filter((name) => name !== `1 ${this.EVFILT_USER}`);
  }

  /** From now on a change of this kind fails. */
  refuse(filter: number, flag: number, errno: number, made = false): void {
    this.#refusals.push({ filter, flag, errno, made });
  }

  /** From now on none does. */
  allow(): void {
    this.#refusals.length = 0;
  }

  /** Reports an event of a filter that exists. */
  report(ident: number, filter: number, flags = 0, fflags = 0): void {
    const name = `${ident} ${filter}`;
    const { udata } = this.#filters.get(name)!;
    this.#pending.set(name, { ident, filter, flags: flags | EV_CLEAR, fflags, data: 0, udata });
    this.#wake();
  }

  #fail(errno: number): number {
    this.#errno = errno;
    return -1;
  }

  #change(change: Kevent): number {
    const { ident, filter, flags, fflags } = change;
    const refusal = this.#refusals.find((one) => one.filter === filter && (flags & one.flag) !== 0);
    if (refusal !== undefined && !refusal.made) return refusal.errno;
    const name = `${ident} ${filter}`;
    if ((flags & EV_ADD) !== 0) this.#filters.set(name, change);
    const { ENOENT } = this.libc.system.errors;
    if (!this.#filters.has(name)) return ENOENT!;
    if ((flags & EV_DELETE) !== 0) {
      this.#filters.delete(name);
      this.#pending.delete(name);
    } else if (filter === this.EVFILT_USER && (fflags & NOTE_TRIGGER) !== 0) this.report(ident, filter);
    return refusal?.errno ?? 0;
  }

  #collect(events: Uint8Array, room: number): number {
    const taken = [...this.#pending].slice(0, room);
    const view = new DataView(events.buffer, events.byteOffset);
    taken.forEach(([name, { ident, filter, flags, fflags, data, udata }], at) => {
      this.#pending.delete(name);
      const offset = at * this.#size;
      view.setBigUint64(offset, BigInt(ident), true);
      view.setInt16(offset + 8, filter, true);
      view.setUint16(offset + 10, flags, true);
      view.setUint32(offset + 12, fflags, true);
      view.setBigInt64(offset + 16, BigInt(data), true);
      view.setBigUint64(offset + 24, udata, true);
    });
    return taken.length;
  }

  #read(changes: Uint8Array, at: number): Kevent {
    const view = new DataView(changes.buffer, changes.byteOffset + at * this.#size, this.#size);
    return {
      ident: Number(view.getBigUint64(0, true)),
      filter: view.getInt16(8, true),
      flags: view.getUint16(10, true),
      fflags: view.getUint32(12, true),
      data: Number(view.getBigInt64(16, true)),
      udata: view.getBigUint64(24, true),
    };
  }

  #nextEvent([seconds, nanoseconds]: BigInt64Array): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Number(seconds) * 1e3 + Number(nanoseconds) / 1e6);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
