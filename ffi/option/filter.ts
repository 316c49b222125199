import { libc } from "../libc/libc.ts";
import { encodeFilter, setFilterAddress, SOCK_FPROG_SIZE } from "../struct/sock_filter.ts";
import { quote } from "../validate/quote.ts";
import { writeOption } from "./option.ts";

/** One instruction of a classic BPF program: struct sock_filter of socket(7).
 *
 * @example
 * ```ts
 * import { type BpfInstruction, Socket } from "@berkeley/sockets";
 *
 * // Accepts 4 bytes of every datagram.
 * const program: BpfInstruction[] = [{ code: 0x06, k: 4 }];
 * if (Deno.build.os === "linux") {
 *   using socket = Socket.open("unix", "dgram");
 *   socket.attachFilter(program);
 * }
 * ```
 */
export interface BpfInstruction {
  /** The operation, 0 to 65,535. */
  code: number;
  /** How many instructions to skip if a comparison is true, 0 to 255. Default 0. */
  jt?: number;
  /** How many instructions to skip if a comparison is false, 0 to 255. Default 0. */
  jf?: number;
  /** The operand, 0 to 4,294,967,295. */
  k: number;
}

/** BPF_MAXINSNS. */
const MOST_INSTRUCTIONS = 4096;

/** The options that take a program. */
export type FilterOption = "SO_ATTACH_FILTER" | "SO_ATTACH_REUSEPORT_CBPF";

function member(instruction: object, index: number, name: keyof BpfInstruction, most: number): number {
  const value: unknown = (instruction as Record<string, unknown>)[name] ?? (name[0] === "j" ? 0 : undefined);
  if (typeof value !== "number" || !Number.isInteger(value)) {
    throw new TypeError(`Invalid ${name} of instruction ${index}: ${quote(value)}, expected a whole number`);
  }
  if (value >= 0 && value <= most) return value;
  throw new RangeError(`Invalid ${name} of instruction ${index}: ${value}, expected 0 to ${most}`);
}

/** Copies a program, each member read once. */
function copyProgram(program: unknown): Required<BpfInstruction>[] {
  if (!Array.isArray(program)) throw new TypeError(`Invalid program: ${quote(program)}, expected an array`);
  const { length } = program;
  if (length < 1 || length > MOST_INSTRUCTIONS) {
    throw new RangeError(`A program of ${length} instructions, expected 1 to ${MOST_INSTRUCTIONS}`);
  }
  return Array.from(program as readonly unknown[], (instruction, index) => {
    if (instruction === null || typeof instruction !== "object") {
      throw new TypeError(`Invalid instruction ${index}: ${quote(instruction)}, expected { code, jt, jf, k }`);
    }
    return {
      code: member(instruction, index, "code", 0xffff),
      jt: member(instruction, index, "jt", 0xff),
      jf: member(instruction, index, "jf", 0xff),
      k: member(instruction, index, "k", 0xffff_ffff),
    };
  });
}

/** The number of an option of filters. Throws Deno.errors.NotSupported on a system without it. */
function numberOf(name: FilterOption | "SO_DETACH_FILTER" | "SO_LOCK_FILTER"): number {
  const { constants, name: system } = libc().system;
  const number = constants[name];
  if (number !== 0) return number;
  throw new Deno.errors.NotSupported(`${system} has no option ${name}`);
}

/** Attaches a classic BPF program to a socket. */
export function attachFilter(fd: number, program: readonly BpfInstruction[], option: FilterOption): void {
  const number = numberOf(option);
  const bytes = encodeFilter(copyProgram(program));
  setFilterAddress(bytes, libc().addressOf(bytes));
  // A view of the same memory: what the call is given keeps the instructions alive that the header points to.
  const header = bytes.subarray(0, SOCK_FPROG_SIZE);
  writeOption(fd, libc().system.constants.SOL_SOCKET, number, header, option);
}

/** Removes the program: SO_DETACH_FILTER. */
export function detachFilter(fd: number): void {
  setFlag(fd, "SO_DETACH_FILTER");
}

/** Forbids to change the program for as long as the socket is open: SO_LOCK_FILTER. */
export function lockFilter(fd: number): void {
  setFlag(fd, "SO_LOCK_FILTER");
}

function setFlag(fd: number, option: "SO_DETACH_FILTER" | "SO_LOCK_FILTER"): void {
  writeOption(fd, libc().system.constants.SOL_SOCKET, numberOf(option), Uint8Array.of(1, 0, 0, 0), option);
}
