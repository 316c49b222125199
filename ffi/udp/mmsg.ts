import { type Libc, libc } from "../libc/libc.ts";
import { override } from "../libc/env.ts";
import { IOVEC_SIZE, setIovec, writeIovec, writeMessageHeader } from "../struct/msghdr.ts";
import { isDetached } from "../validate/bytes.ts";

/** The layout of a vector of messages. */
export interface VectorShape {
  /** Number of messages. */
  readonly capacity: number;
  /** Bytes of data for each. */
  readonly dataSize: number;
  /** Bytes of control messages for each. */
  readonly controlSize: number;
}

/** Size of a sockaddr_in6 in bytes, rounded up. */
const NAME_SIZE = 32;

/** The layout in place of struct mmsghdr on systems without it: a msghdr and room for a length, for single calls. */
const SUBSTITUTE = { size: 64, len: 56 } as const;

let vectored: boolean | undefined;

/** Whether there are recvmmsg(2) and sendmmsg(2). Kernels and sandboxes without them refuse them whatever they are
 * given. BERKELEY_MMSG=off disables them, for tests of the fallback. */
export function hasVectoredCalls(): boolean {
  if (vectored !== undefined) return vectored;
  const { c, errno, system } = libc();
  if (c.recvmmsg === null || c.sendmmsg === null || system.layout.mmsghdr === null) return vectored = false;
  c.recvmmsg(-1, null, 0, 0, null);
  const receives = errno() === system.errors.EBADF;
  c.sendmmsg(-1, null, 0, 0);
  return vectored = receives && errno() === system.errors.EBADF && override("BERKELEY_MMSG") !== "off";
}

/** The memory of many messages, allocated once: headers, vectors, addresses and control messages in one buffer, data in
 * another. The kernel gets addresses of these two, which are fields, and those passed to `useAddress`. The headers never
 * leave the module. Views of the data may, so `lost` must be checked before each call. */
export class MessageVector {
  readonly shape: VectorShape;
  readonly headers: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
  readonly data: Uint8Array<ArrayBuffer>;
  readonly pointer: Deno.PointerObject;
  readonly #libc: Libc;
  readonly #header: { readonly size: number; readonly len: number };
  readonly #names: number;
  readonly #controls: number;
  readonly #iovecs: number;
  readonly #dataAddress: number;
  readonly #base: number;
  /** A copy of the headers before a call, which overwrites them. */
  readonly #fresh: Uint8Array<ArrayBuffer>;
  /** Pointers to single headers, for calls of one message. */
  readonly #pointers: Deno.PointerObject[] = [];

  constructor(shape: VectorShape) {
    const { capacity, dataSize, controlSize } = shape;
    this.shape = shape;
    this.#libc = libc();
    this.#header = this.#libc.system.layout.mmsghdr ?? SUBSTITUTE;
    this.#iovecs = capacity * this.#header.size;
    this.#names = this.#iovecs + capacity * IOVEC_SIZE;
    this.#controls = this.#names + capacity * NAME_SIZE;
    this.headers = new Uint8Array(this.#controls + capacity * controlSize);
    this.view = new DataView(this.headers.buffer);
    this.data = new Uint8Array(capacity * dataSize);
    this.pointer = this.#libc.pointerTo(this.headers);
    this.#dataAddress = Number(this.#libc.addressOf(this.data));
    const base = this.#libc.addressOf(this.headers);
    this.#base = Number(base);
    for (let index = 0; index < capacity; index++) this.#write(index, base);
    this.#fresh = this.headers.slice(0, this.#iovecs);
  }

  #write(index: number, base: bigint): void {
    const { dataSize, controlSize } = this.shape;
    const data = this.#libc.addressOf(this.data) + BigInt(index * dataSize);
    writeIovec(this.view, this.#iovecs + index * IOVEC_SIZE, data, dataSize);
    writeMessageHeader(this.#libc.system.layout, this.view, index * this.#header.size, {
      name: base + BigInt(this.nameOffset(index)),
      nameLength: NAME_SIZE,
      iov: base + BigInt(this.#iovecs + index * IOVEC_SIZE),
      iovLength: 1,
      control: base + BigInt(this.controlOffset(index)),
      controlLength: controlSize,
    });
  }

  /** Whether the data buffer has been transferred away. Its address must then no longer be passed to the kernel. */
  get lost(): boolean {
    return isDetached(this.data.buffer);
  }

  /** Offset of the header of a message. */
  headerOffset(index: number): number {
    return index * this.#header.size;
  }

  nameOffset(index: number): number {
    return this.#names + index * NAME_SIZE;
  }

  nameAddress(index: number): number {
    return this.#base + this.nameOffset(index);
  }

  controlAddress(index: number): number {
    return this.#base + this.controlOffset(index);
  }

  controlOffset(index: number): number {
    return this.#controls + index * this.shape.controlSize;
  }

  /** Returns a pointer to one header. */
  pointerAt(index: number): Deno.PointerObject {
    return this.#pointers[index] ??= this.#libc.pointerTo(this.headers.subarray(index * this.#header.size));
  }

  /** Resets the headers of `count` messages after a receive: all lengths are those of the buffers again. */
  renew(count: number): void {
    this.headers.set(count === this.shape.capacity ? this.#fresh : this.#fresh.subarray(0, count * this.#header.size));
  }

  /** msg_len: the number of bytes received into a message. */
  length(index: number): number {
    return this.view.getUint32(index * this.#header.size + this.#header.len, true);
  }

  setLength(index: number, length: number): void {
    this.view.setUint32(index * this.#header.size + this.#header.len, length, true);
  }

  /** Points a message at the first `length` bytes of its own data. */
  useOwnData(index: number, length: number): void {
    this.useAddress(index, this.#dataAddress + index * this.shape.dataSize, length);
  }

  /** Points a message at other memory, which the caller has checked and keeps alive until the call has returned. */
  useAddress(index: number, address: number, length: number): void {
    setIovec(this.view, this.#iovecs + index * IOVEC_SIZE, address, length);
  }
}
