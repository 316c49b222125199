import { type Symbols, symbols } from "./symbols.ts";
import { thisSystem } from "./host.ts";
import type { System } from "./system.ts";

/** libc as this thread sees it. A Worker opens its own: errno is a thread's. */
class Libc {
  readonly system: System;
  readonly c: Symbols;
  /** Reads errno. To be called directly after the function that failed, before anything else can run. */
  readonly errno: () => number;

  readonly #binding: Binding;

  constructor(system: System, binding: Binding) {
    const { c } = binding;
    this.system = system;
    this.#binding = binding;
    this.c = c;
    this.errno = errnoReader(c, system.errnoLocation);
    // The first call of a JavaScript function compiles it, and the compiler's own allocations may write errno.
    c.close(-1);
    this.errno();
  }

  /** Binds every function, not only those that were used. */
  bindAll(): void {
    this.#binding.bindAll();
  }

  /** The address of a buffer's first byte. It stays right for as long as the buffer is referenced. */
  addressOf(bytes: Uint8Array): bigint {
    return this.c.address_of(bytes, bytes, 0n);
  }

  pointerTo(bytes: Uint8Array): Deno.PointerObject {
    return this.c.pointer_to(bytes, bytes, 0n)!;
  }

  /** Copies memory that libc owns. */
  copyFrom(address: bigint, length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    this.c.memcpy(bytes, address, BigInt(length));
    return bytes;
  }
}

export type { Libc };

/** errno is a variable behind a function. Where the grant of --allow-ffi covers all, its memory is read in place; a
 * grant for one library forbids views of foreign memory, and memcpy(3) brings it over. */
function errnoReader(c: Symbols, location: System["errnoLocation"]): () => number {
  // Asked and not tried: on a terminal, trying would ask the user for more than the library needs.
  const { state, partial = false } = Deno.permissions.querySync({ name: "ffi" });
  if (state === "granted" && !partial) {
    const cell = new Int32Array(Deno.UnsafePointerView.getArrayBuffer(c[location]!()!, 4));
    return () => cell[0]!;
  }
  const address = location === "__error" ? c.error_address!() : c.errno_address!();
  const cell = new Int32Array(1);
  return () => {
    c.memcpy(cell, address, 4n);
    return cell[0]!;
  };
}

/** The functions of the library at a path. Each is bound when it is first asked for: binding takes 0.2 ms, and no program
 * needs all of them. */
class Binding {
  readonly #path: string;
  readonly c: Symbols = {} as Symbols;

  constructor(path: string) {
    this.#path = path;
    for (const name of NAMES) {
      const get = () => this.#bind([name])[name];
      Object.defineProperty(this.c, name, { configurable: true, enumerable: true, get });
    }
  }

  /** Binds what is not bound yet. */
  bindAll(): void {
    this.#bind(NAMES.filter((name) => Object.getOwnPropertyDescriptor(this.c, name)?.get !== undefined));
  }

  #bind(names: readonly Name[]): Partial<Symbols> {
    const wanted = Object.fromEntries(names.map((name) => [name, symbols[name]]));
    const bound: Partial<Symbols> = Deno.dlopen(this.#path, wanted).symbols;
    for (const name of names) Object.defineProperty(this.c, name, { enumerable: true, value: bound[name] });
    return bound;
  }
}

type Name = keyof typeof symbols;
const NAMES = Object.keys(symbols) as Name[];

function open(): Libc {
  const system = thisSystem();
  const unscoped = Deno.permissions.querySync({ name: "ffi" });
  // A scoped grant names a file: only the absolute path it was given for opens, and the loader's name does not.
  const paths = unscoped.state === "granted"
    ? system.libraries
    : system.libraries.filter((path) => path.startsWith("/"));
  let refusal: unknown = new Deno.errors.NotFound(`No C library among ${system.libraries.join(", ")}`);
  const granted = paths.filter((path) => Deno.permissions.querySync({ name: "ffi", path }).state === "granted");
  for (const path of granted.length > 0 ? granted : paths) {
    try {
      return new Libc(system, new Binding(path));
    } catch (error) {
      refusal = error;
      if (error instanceof Deno.errors.NotCapable) break;
    }
  }
  throw refusal;
}

let opened: Libc | undefined;

/** libc, opened on first use. Throws Deno.errors.NotCapable without --allow-ffi, NotSupported on a system without a
 * table. */
export function libc(): Libc {
  return opened ??= open();
}
