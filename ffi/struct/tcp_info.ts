/** struct tcp_info of <linux/tcp.h> and <netinet/tcp.h>, struct tcp_connection_info on macOS: TCP_INFO of tcp(7). */

import type { Layout, TcpInfoMember } from "../libc/system.ts";

/** The members that the system wrote, by their names without prefix. */
export type TcpInfoFields = Partial<Record<TcpInfoMember, number>>;

const BYTES: readonly TcpInfoMember[] = ["state", "retransmits"];
const LONGS: readonly TcpInfoMember[] = [
  "pacing_rate",
  "bytes_acked",
  "bytes_received",
  "delivery_rate",
  "bytes_sent",
  "bytes_retrans",
];

/** All ones, which stand for no limit or for no sample. */
const NONE_32 = 0xffff_ffff;
const NONE_64 = 0xffff_ffff_ffff_ffffn;

/** Decodes as many members as there are: older kernels return a shorter structure. Members of 64 bits are rounded to a
 * double beyond 2 ** 53, and all ones are Infinity. */
export function decodeTcpInfo({ tcp_info }: Pick<Layout, "tcp_info">, bytes: Uint8Array): TcpInfoFields {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fields: TcpInfoFields = {};
  for (const [name, offset] of Object.entries(tcp_info) as [TcpInfoMember, number | null][]) {
    if (offset === null) continue;
    const width = BYTES.includes(name) ? 1 : LONGS.includes(name) ? 8 : 4;
    if (offset + width <= bytes.length) fields[name] = read(view, offset, width);
  }
  return fields;
}

function read(view: DataView, offset: number, width: 1 | 4 | 8): number {
  if (width === 1) return view.getUint8(offset);
  if (width === 4) {
    const value = view.getUint32(offset, true);
    return value === NONE_32 ? Infinity : value;
  }
  const value = view.getBigUint64(offset, true);
  return value === NONE_64 ? Infinity : Number(value);
}
