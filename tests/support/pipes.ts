/**
 * Anonymous pipes, which Deno has no function for.
 *
 * @module
 */
import { thisSystem } from "../../ffi/libc/host.ts";

/** Both ends of a pipe, as numbers that are the caller's to close. They block, as most pipes do. */
export function pipe(): [read: number, write: number] {
  const library = Deno.dlopen(thisSystem().libraries[0]!, { pipe: { parameters: ["buffer"], result: "i32" } });
  const fds = new Int32Array(2);
  const result = library.symbols.pipe(fds);
  library.close();
  if (result === -1) throw new Error("pipe(2) failed");
  return [fds[0]!, fds[1]!];
}
