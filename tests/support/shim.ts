/**
 * A C library whose functions are the system's, except for some that a test writes itself: kernels that this machine is
 * not. BERKELEY_LIBC names it to the module.
 *
 * @module
 */
import { compiler, noCompiler } from "./compiler.ts";
import { run } from "./process.ts";
import { linuxTable } from "./systems.ts";

/** Why none can be built here, or null. */
export const noShim: string | null = Deno.build.os === "linux" && linuxTable
  ? noCompiler
  : "the C of these libraries is for Linux and its table";

/** The library's file; `await using` removes it. */
export class Shim implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Builds a library of these functions; all others are found in the C library behind it. */
  static async build(source: string): Promise<Shim> {
    const shim = new Shim(await Deno.makeTempDir());
    const input = `${shim.#folder}/shim.c`;
    await Deno.writeTextFile(input, source);
    const { success, report } = await run(compiler, ["-shared", "-fPIC", "-O1", "-Wall", "-o", shim.path, input]);
    if (success) return shim;
    await shim[Symbol.asyncDispose]();
    throw new Error(report);
  }

  get path(): string {
    return `${this.#folder}/shim.so`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}
