import { libc } from "../libc/libc.ts";
import { quote } from "./quote.ts";

/** Why the kernel cannot be given this: not bytes, memory that was transferred away, memory that other threads write to. Null where it can. */
export function refusedBytes(p: unknown): TypeError | null {
  if (!(p instanceof Uint8Array)) {
    const given = p === null || typeof p !== "object" ? quote(p) : p.constructor?.name ?? "an object";
    const help = typeof p === "string" ? "; new TextEncoder().encode() makes one of text" : "";
    return new TypeError(`Expected a Uint8Array, got ${given}${help}`);
  }
  if (p.buffer instanceof SharedArrayBuffer) {
    return new TypeError("The buffer is shared with other threads: copy it into memory of its own first");
  }
  if (p.length === 0 && p.buffer.detached) {
    return new TypeError("The buffer is detached: its memory was transferred away");
  }
  return null;
}

/** Throws what `refusedBytes` returns. */
export function requireBytes(p: unknown): void {
  const refusal = refusedBytes(p);
  if (refusal !== null) throw refusal;
}

/** Where the buffers used lately lie. Asking costs a system-library call and a BigInt; most calls come with the same buffer again.
 * An ArrayBuffer does not move: growing one in place keeps its address, and transferring it makes another. */
export class AddressCache {
  #addresses = new WeakMap<ArrayBufferLike, number>();
  #lastBuffer: ArrayBufferLike | null = null;
  #lastAddress = 0;

  /** Whether this buffer is the one asked about last. */
  holds(buffer: ArrayBufferLike): boolean {
    return buffer === this.#lastBuffer;
  }

  /** Addresses of user space fit a double exactly. */
  of(p: Uint8Array): number {
    const buffer = p.buffer;
    if (buffer === this.#lastBuffer) return this.#lastAddress + p.byteOffset;
    let address = this.#addresses.get(buffer);
    if (address === undefined) {
      address = Number(libc().addressOf(p)) - p.byteOffset;
      this.#addresses.set(buffer, address);
    }
    this.#lastBuffer = buffer;
    this.#lastAddress = address;
    return address + p.byteOffset;
  }
}
