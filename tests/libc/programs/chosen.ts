/** Prints the name of the table and the library that were chosen, or what was thrown instead. */
import { libc } from "../../../ffi/libc/libc.ts";

try {
  const { name, libraries } = libc().system;
  console.log(`${name}, ${libraries[0]}`);
} catch (error) {
  console.log(String(error));
}
