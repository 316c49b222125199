/** struct sock_filter and struct sock_fprog of <linux/filter.h>: a classic BPF program, socket(7). */

/** One instruction. */
export interface FilterInstruction {
  readonly code: number;
  readonly jt?: number;
  readonly jf?: number;
  readonly k: number;
}

/** sizeof(struct sock_filter). */
export const SOCK_FILTER_SIZE = 8;
/** sizeof(struct sock_fprog) where pointers have 64 bits. */
export const SOCK_FPROG_SIZE = 16;

/** Encodes a program in one piece: its header, and behind it the instructions that the header is to point to. The
 * pointer is left zero. */
export function encodeFilter(program: readonly FilterInstruction[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(SOCK_FPROG_SIZE + program.length * SOCK_FILTER_SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, program.length, true);
  for (const [index, { code, jt = 0, jf = 0, k }] of program.entries()) {
    const at = SOCK_FPROG_SIZE + index * SOCK_FILTER_SIZE;
    view.setUint16(at, code, true);
    view.setUint8(at + 2, jt);
    view.setUint8(at + 3, jf);
    view.setUint32(at + 4, k, true);
  }
  return bytes;
}

/** Points the header at the instructions, given the address of the whole. */
export function setFilterAddress(bytes: Uint8Array<ArrayBuffer>, address: bigint): void {
  new DataView(bytes.buffer).setBigUint64(8, address + BigInt(SOCK_FPROG_SIZE), true);
}
