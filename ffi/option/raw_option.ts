import { libc } from "../libc/libc.ts";
import { unwrap } from "../libc/socket_error.ts";
import { lengthOf, requireBytes } from "../validate/bytes.ts";
import { requireInt } from "../validate/number.ts";
import { quote } from "../validate/quote.ts";
import { writeOption } from "./option.ts";

/** Maximum length in bytes of a value to be read, and of one to be set, which is the maximum of a signed socklen_t. */
const MOST_READ = 65_536;
const MOST_SET = 0x7fff_ffff;

/** The largest unit in bytes in which Linux counts the length of an option: struct sock_filter, for SO_GET_FILTER. Values
 * are read into a buffer with room for `length` such units, in case an unknown option counts in units. */
const LARGEST_UNIT = 8;

/** SO_GET_FILTER of Linux, whose length counts instructions. It has the number of SO_ATTACH_FILTER. On other systems no
 * option of SOL_SOCKET has this number. */
const SO_GET_FILTER = 26;

/** Returns level and name as C integers, and a text for error messages. */
function numbered(level: number, name: number): [level: number, name: number, what: string] {
  const what = `level ${requireInt("level", level)} option ${requireInt("option", name)}`;
  return [level | 0, name | 0, what];
}

/** Reads at most `length` bytes of an option: getsockopt(2) with level and name as the system's headers number them. */
export function getRawOption(fd: number, level: number, name: number, length: number): Uint8Array<ArrayBuffer> {
  if (!Number.isInteger(length) || length < 0 || length > MOST_READ) {
    throw new RangeError(`Invalid length: ${quote(length)}, expected 0 to ${MOST_READ} bytes`);
  }
  const [at, number, what] = numbered(level, name);
  const inUnits = at === libc().system.constants.SOL_SOCKET && number === SO_GET_FILTER;
  const value = new Uint8Array(length * LARGEST_UNIT);
  const room = inUnits ? Math.floor(length / LARGEST_UNIT) : length;
  const written = Uint32Array.of(room);
  unwrap(libc().c.getsockopt(fd, at, number, value, written), "getsockopt", what);
  // With a length of 0 the kernel returns the number of instructions and writes none.
  return value.slice(0, Math.min(room, written[0]!) * (inUnits ? LARGEST_UNIT : 1));
}

/** TCP_ZEROCOPY_RECEIVE of Linux, whose value has addresses that the kernel writes to. */
const TCP_ZEROCOPY_RECEIVE = 35;

/** Reads an option whose getsockopt(2) also takes a value. The kernel gets a copy of `value`. Returns the bytes that it
 * wrote, at most as many as in `value`. */
export function exchangeRawOption(fd: number, level: number, name: number, value: Uint8Array): Uint8Array<ArrayBuffer> {
  const [at, number, what] = numbered(level, name);
  requireBytes(value);
  const length = lengthOf(value);
  if (length > MOST_READ) throw new RangeError(`A value of ${length} bytes for ${what}, expected at most ${MOST_READ}`);
  const { constants } = libc().system;
  if (at === constants.IPPROTO_TCP && number === TCP_ZEROCOPY_RECEIVE) {
    throw new TypeError(`The value of ${what} has memory addresses, which are not passed to the kernel`);
  }
  const bytes = new Uint8Array(length * LARGEST_UNIT);
  bytes.set(value);
  // Pass the length of an option that counts in units as a number of units.
  const inUnits = at === constants.SOL_SOCKET && number === SO_GET_FILTER;
  const written = Uint32Array.of(inUnits ? Math.floor(length / LARGEST_UNIT) : length);
  unwrap(libc().c.getsockopt(fd, at, number, bytes, written), "getsockopt", what);
  return bytes.slice(0, Math.min(length, written[0]! * (inUnits ? LARGEST_UNIT : 1)));
}

/** Sets an option: setsockopt(2) with level and name as the system's headers number them. A number is passed as a C int. */
export function setRawOption(fd: number, level: number, name: number, value: Uint8Array | number): void {
  const [at, number, what] = numbered(level, name);
  if (typeof value === "number") {
    const int = Int32Array.of(requireInt(`value for ${what}`, value, "a whole number or bytes"));
    return writeOption(fd, at, number, new Uint8Array(int.buffer), what);
  }
  requireBytes(value);
  if (lengthOf(value) > MOST_SET) {
    throw new RangeError(`A value of ${lengthOf(value)} bytes for ${what}, expected at most ${MOST_SET}`);
  }
  writeOption(fd, at, number, value, what);
}
