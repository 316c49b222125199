/**
 * Standing in for a function of libc, to count its calls or to let it fail as the system rarely does.
 *
 * @module
 */
import { type Libc, libc } from "../../ffi/libc/libc.ts";

type Symbols = Libc["c"];
type MutableLibc = { -readonly [Member in "c" | "errno"]: Libc[Member] };

/** accept4(2) of this thread, accept(2) where there is no such call, until the end of the block. */
export class FakeAccept implements Disposable {
  readonly #real: MutableLibc = { c: libc().c, errno: libc().errno };
  readonly #failures: string[];
  #attempts = 0;

  /** The first calls fail with these, one after the other. */
  constructor(...failures: string[]) {
    this.#failures = failures;
    const { c: real, errno } = this.#real;
    let failure: string | undefined;
    const fails = (): boolean => {
      this.#attempts++;
      failure = this.#failures.shift();
      return failure !== undefined;
    };
    const accept4: Symbols["accept4"] = (...args) => fails() ? -1 : real.accept4!(...args);
    const accept: Symbols["accept"] = (...args) => fails() ? -1 : real.accept(...args);
    Object.assign(libc() as MutableLibc, {
      c: Object.create(real, real.accept4 === null ? { accept: { value: accept } } : { accept4: { value: accept4 } }),
      errno: () => failure === undefined ? errno() : libc().system.errors[failure]!,
    });
  }

  /** Calls so far. */
  get attempts(): number {
    return this.#attempts;
  }

  [Symbol.dispose](): void {
    Object.assign(libc() as MutableLibc, this.#real);
  }
}
