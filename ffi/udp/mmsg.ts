import { type Libc, libc } from "../libc/libc.ts";
import { override } from "../libc/env.ts";
import { IOVEC_SIZE, setIovec, writeIovec, writeMessageHeader } from "../struct/msghdr.ts";
import { isDetached } from "../validate/bytes.ts";

/** How a vector of messages is laid out. */
export interface VectorShape {
  /** Messages. */
  readonly capacity: number;
  /** Bytes of data for each. */
  readonly dataSize: number;
  /** Bytes of control messages for each. */
  readonly controlSize: number;
}

/** Bytes of a sockaddr_in6, rounded up. */
const NAME_SIZE = 32;

/** struct mmsghdr; where there is none, a msghdr with room for a length behind it serves calls made one by one. */
const SUBSTITUTE = { size: 64, len: 56 } as const;

let vectored: boolean | undefined;

/** Whether the system moves many messages in one call. Tests switch it off to see the same results without. */
export function hasVectoredCalls(): boolean {
  const { c, system } = libc();
  return vectored ??= c.recvmmsg !== null && system.layout.mmsghdr !== null && override("BERKELEY_MMSG") !== "off";
}

/** Many messages in memory made once: headers, vectors, addresses and control messages in one piece, the data in
 * another. The kernel is given addresses of these two, which are fields, and of what `useAddress` is given. The headers
 * never leave the module; views of the data may, and with them its buffer, so `lost` is asked before each call. */
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
  /** The headers as they are before a call, which writes into them. */
  readonly #fresh: Uint8Array<ArrayBuffer>;
  /** Pointers to single headers, for systems that take one at a time. */
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

  /** Whether somebody who was given a view of the data has transferred its buffer away: the kernel may no longer be
   * given its address. */
  get lost(): boolean {
    return isDetached(this.data.buffer);
  }

  /** Where the header of a message is. */
  headerOffset(index: number): number {
    return index * this.#header.size;
  }

  nameOffset(index: number): number {
    return this.#names + index * NAME_SIZE;
  }

  controlOffset(index: number): number {
    return this.#controls + index * this.shape.controlSize;
  }

  /** A pointer to one header. */
  pointerAt(index: number): Deno.PointerObject {
    return this.#pointers[index] ??= this.#libc.pointerTo(this.headers.subarray(index * this.#header.size));
  }

  /** Undoes what receiving `count` messages wrote: every length is the room there is again. */
  renew(count: number): void {
    this.headers.set(count === this.shape.capacity ? this.#fresh : this.#fresh.subarray(0, count * this.#header.size));
  }

  /** msg_len: bytes received into a message. */
  length(index: number): number {
    return this.view.getUint32(index * this.#header.size + this.#header.len, true);
  }

  setLength(index: number, length: number): void {
    this.view.setUint32(index * this.#header.size + this.#header.len, length, true);
  }

  /** Points a message at its own data, `length` bytes of it. */
  useOwnData(index: number, length: number): void {
    this.useAddress(index, this.#dataAddress + index * this.shape.dataSize, length);
  }

  /** Points a message at memory that the caller holds, and has checked, until the call is over. */
  useAddress(index: number, address: number, length: number): void {
    setIovec(this.view, this.#iovecs + index * IOVEC_SIZE, address, length);
  }
}
