import { libc } from "../libc/libc.ts";
import { unwrap } from "../libc/socket_error.ts";
import { lengthOf, requireBytes } from "../validate/bytes.ts";
import { requireInt } from "../validate/number.ts";
import { quote } from "../validate/quote.ts";
import { writeOption } from "./option.ts";

/** The longest value that is read, and the longest that is set, in bytes: socklen_t, kept positive. */
const MOST_READ = 65_536;
const MOST_SET = 0x7fff_ffff;

/** The largest unit in which Linux counts the length of an option: struct sock_filter, for SO_GET_FILTER. Whatever the
 * unit of an option that is not known here, there is room for as many as were asked for. */
const LARGEST_UNIT = 8;

/** SO_GET_FILTER of Linux, which is SO_ATTACH_FILTER read: its length counts instructions. Elsewhere no option of
 * SOL_SOCKET has this number. */
const SO_GET_FILTER = 26;

/** Level and name as C takes them, and the words for them in errors. */
function numbered(level: number, name: number): [level: number, name: number, what: string] {
  const what = `level ${requireInt("level", level)} option ${requireInt("option", name)}`;
  return [level | 0, name | 0, what];
}

/** getsockopt(2) with level and name as the system's headers number them: at most `length` bytes. */
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
  // Without room for any, the number of instructions there are is told and none is written.
  return value.slice(0, Math.min(room, written[0]!) * (inUnits ? LARGEST_UNIT : 1));
}

/** TCP_ZEROCOPY_RECEIVE of Linux: its value holds addresses that the kernel writes to. */
const TCP_ZEROCOPY_RECEIVE = 35;

/** getsockopt(2) of an option that reads what it is given: the kernel is given a copy of `value`, and what it wrote, at
 * most as many bytes, is returned. */
export function exchangeRawOption(fd: number, level: number, name: number, value: Uint8Array): Uint8Array<ArrayBuffer> {
  const [at, number, what] = numbered(level, name);
  requireBytes(value);
  const length = lengthOf(value);
  if (length > MOST_READ) throw new RangeError(`A value of ${length} bytes for ${what}, expected ${MOST_READ} at most`);
  const { constants } = libc().system;
  if (at === constants.IPPROTO_TCP && number === TCP_ZEROCOPY_RECEIVE) {
    throw new TypeError(`The value of ${what} holds addresses of memory, which are not given to the kernel`);
  }
  const bytes = new Uint8Array(length * LARGEST_UNIT);
  bytes.set(value);
  // An option whose length is counted in units would otherwise be given too much room.
  const inUnits = at === constants.SOL_SOCKET && number === SO_GET_FILTER;
  const written = Uint32Array.of(inUnits ? Math.floor(length / LARGEST_UNIT) : length);
  unwrap(libc().c.getsockopt(fd, at, number, bytes, written), "getsockopt", what);
  return bytes.slice(0, Math.min(length, written[0]! * (inUnits ? LARGEST_UNIT : 1)));
}

/** setsockopt(2) with level and name as the system's headers number them; a number goes as a C int. */
export function setRawOption(fd: number, level: number, name: number, value: Uint8Array | number): void {
  const [at, number, what] = numbered(level, name);
  if (typeof value === "number") {
    const int = Int32Array.of(requireInt(`value for ${what}`, value, "a whole number or bytes"));
    return writeOption(fd, at, number, new Uint8Array(int.buffer), what);
  }
  requireBytes(value);
  if (lengthOf(value) > MOST_SET) {
    throw new RangeError(`A value of ${lengthOf(value)} bytes for ${what}, expected ${MOST_SET} at most`);
  }
  writeOption(fd, at, number, value, what);
}
