import { libc } from "../libc/libc.ts";
import { quote } from "./quote.ts";

/** Why the kernel cannot be given this: not bytes, memory that was transferred away, memory that other threads write
 * to. Null where it can. */
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

/** Where the buffer used last lies, which most calls come with again. Asking is a call of its own; remembering more
 * than one cost more, in garbage collections, than it saved. An ArrayBuffer does not move: growing one in place keeps
 * its address, and transferring it makes another. */
export class AddressCache {
  #buffer: ArrayBufferLike | null = null;
  #address = 0;

  /** Whether this buffer is the one asked about last. */
  holds(buffer: ArrayBufferLike): boolean {
    return buffer === this.#buffer;
  }

  /** Addresses of user space fit a double exactly. */
  of(p: Uint8Array): number {
    const buffer = p.buffer;
    if (buffer !== this.#buffer) {
      this.#address = Number(libc().addressOf(p)) - p.byteOffset;
      this.#buffer = buffer;
    }
    return this.#address + p.byteOffset;
  }
}
