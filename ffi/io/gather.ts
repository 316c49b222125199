import { type Libc, libc } from "../libc/libc.ts";
import { IOVEC_SIZE, setControl, setIovec, setName, writeMessageHeader } from "../struct/msghdr.ts";
import { SOCKADDR_STORAGE_SIZE } from "../struct/sockaddr.ts";
import { AddressCache, lengthOf, requireBytes, viewOf } from "../validate/bytes.ts";
import { MOST_CONTROL } from "./control_message.ts";
import { isForPeer, mayBeLonger } from "./refused_send.ts";

/** IOV_MAX, the same on every supported system: the most buffers that one sendmsg(2) takes. */
export const MOST_PARTS = 1024;

const HEADER = 64;
const NAME = HEADER + MOST_PARTS * IOVEC_SIZE;
const CONTROL = NAME + SOCKADDR_STORAGE_SIZE;

/** Where one call begins in a list of buffers. */
export interface Position {
  /** Index of the first buffer. */
  readonly part: number;
  /** Bytes of it that are left out. */
  readonly offset: number;
}

const BEGIN: Position = { part: 0, offset: 0 };

/** What goes with the bytes of one sendmsg(2). */
export interface Accompaniment {
  /** The sockaddr of the destination; the connected peer by default. */
  readonly destination?: Uint8Array | null | undefined;
  /** Control messages as the kernel reads them. */
  readonly control?: Uint8Array | null | undefined;
  /** Flags beside MSG_NOSIGNAL. */
  readonly flags?: number;
}

/** sendmsg(2) of many buffers, with any control messages and flags. Calls are synchronous, so one serves all sockets of
 * a thread.
 *
 * The kernel is given addresses of `#bytes`, which is a field and never leaves the module, and of the buffers, which
 * `#parts` holds for the time of the call and which are checked just before it. */
class GatheringMessage {
  readonly #libc: Libc = libc();
  readonly #bytes = new Uint8Array(CONTROL + MOST_CONTROL);
  readonly #view = new DataView(this.#bytes.buffer);
  readonly #pointer: Deno.PointerObject;
  readonly #addresses = new AddressCache();
  readonly #base: bigint;
  #parts: readonly Uint8Array[] | null = null;

  constructor() {
    this.#pointer = this.#libc.pointerTo(this.#bytes);
    this.#base = this.#libc.addressOf(this.#bytes);
  }

  /** Sends the buffers from a position on, MOST_PARTS at the most. Returns how many bytes went, or the negative errno. */
  send(fd: number, parts: readonly Uint8Array[], from: Position, accompaniment: Accompaniment): number {
    const { destination = null, control = null, flags = 0 } = accompaniment;
    const { c, errno, system: { constants, errors } } = this.#libc;
    this.#parts = parts;
    this.#write(this.#point(parts, from), destination, control);
    try {
      for (;;) {
        const length = c.sendmsg(fd, this.#pointer, constants.MSG_NOSIGNAL | flags);
        if (length !== -1) return length;
        const code = errno();
        if (mayBeLonger(fd, code, totalLength(parts))) continue;
        if (isForPeer(fd, code, destination)) return this.send(fd, parts, from, { control, flags });
        if (code !== errors.EINTR) return -code;
      }
    } finally {
      this.#parts = null;
    }
  }

  /** Points the vector at the buffers. While an operation waited they may have been transferred away or resized, so
   * each is checked. Returns how many there are, which is at least one: macOS refuses a message of none. */
  #point(parts: readonly Uint8Array[], { part, offset }: Position): number {
    const count = Math.min(parts.length - part, MOST_PARTS);
    if (count === 0) setIovec(this.#view, HEADER, Number(this.#base), 0);
    for (let index = 0; index < count; index++) {
      const bytes = parts[part + index]!;
      const skipped = index === 0 ? offset : 0;
      if (lengthOf(bytes) <= skipped) requireBytes(bytes);
      const length = Math.max(lengthOf(bytes) - skipped, 0);
      setIovec(this.#view, HEADER + index * IOVEC_SIZE, this.#addresses.of(bytes) + skipped, length);
    }
    return Math.max(count, 1);
  }

  #write(count: number, destination: Uint8Array | null, control: Uint8Array | null): void {
    const { layout } = this.#libc.system;
    if (destination !== null) this.#bytes.set(destination, NAME);
    if (control !== null) this.#bytes.set(control, CONTROL);
    writeMessageHeader(layout, this.#view, 0, {
      name: this.#base + BigInt(NAME),
      nameLength: 0,
      iov: this.#base + BigInt(HEADER),
      iovLength: count,
      control: this.#base + BigInt(CONTROL),
      controlLength: 0,
    });
    setName(layout, this.#view, 0, Number(this.#base) + NAME, destination?.length ?? 0);
    setControl(layout, this.#view, 0, Number(this.#base) + CONTROL, control?.length ?? 0);
  }
}

let gathering: GatheringMessage | undefined;

/** Sends buffers by one sendmsg(2). Returns how many bytes went, or the negative errno. */
export function sendParts(
  fd: number,
  parts: readonly Uint8Array[],
  accompaniment: Accompaniment,
  from: Position = BEGIN,
): number {
  return (gathering ??= new GatheringMessage()).send(fd, parts, from, accompaniment);
}

/** Copies a list of buffers, or makes one of a single buffer, and checks each. The bytes are not copied. */
export function partsOf(p: unknown): readonly Uint8Array[] {
  if (!Array.isArray(p)) {
    requireBytes(p);
    return [p];
  }
  const parts = Array.from(p as readonly unknown[]);
  for (const [index, part] of parts.entries()) {
    try {
      requireBytes(part);
    } catch (error) {
      throw new TypeError(`Buffer ${index} of ${parts.length}: ${(error as Error).message}`);
    }
  }
  return parts as Uint8Array[];
}

/** The bytes of a list of buffers together. */
export function totalLength(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + lengthOf(part), 0);
}

/** The list itself where one call takes it, else its bytes copied into one buffer: a message cannot go in portions. */
export function asOneMessage(parts: readonly Uint8Array[]): readonly Uint8Array[] {
  if (parts.length <= MOST_PARTS) return parts;
  const whole = new Uint8Array(totalLength(parts));
  let at = 0;
  for (const part of parts) {
    whole.set(viewOf(part, 0, lengthOf(part)), at);
    at += lengthOf(part);
  }
  return [whole];
}
