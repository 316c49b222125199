import { libc } from "../libc/libc.ts";
import { unwrap } from "../libc/socket_error.ts";

/** What a descriptor leads to. */
export type FdKind = "socket" | "file" | "directory" | "pipe" | "character device" | "block device" | "other";

/** S_IFMT and the types of <sys/stat.h>, the same on every supported system. */
const TYPE_MASK = 0o170000;
const KINDS: Readonly<Record<number, FdKind>> = {
  0o140000: "socket",
  0o100000: "file",
  0o040000: "directory",
  0o010000: "pipe",
  0o020000: "character device",
  0o060000: "block device",
};

/** Where fstat(2) writes, for all descriptors of a thread. */
class StatBuffer {
  readonly bytes: Uint8Array<ArrayBuffer> = new Uint8Array(libc().system.layout.stat.size);
  readonly view: DataView = new DataView(this.bytes.buffer);
}

let buffer: StatBuffer | undefined;

/** The kind of a descriptor: fstat(2). */
export function fdKind(fd: number): FdKind {
  const { c, system: { layout: { stat } } } = libc();
  buffer ??= new StatBuffer();
  const call = c.fstat_inode64 ?? c.fstat;
  if (call === null) throw new Deno.errors.NotSupported("This C library has no fstat(2)");
  unwrap(call(fd, buffer.bytes), "fstat", `descriptor ${fd}`);
  const mode = stat.modeSize === 2 ? buffer.view.getUint16(stat.mode, true) : buffer.view.getUint32(stat.mode, true);
  return KINDS[mode & TYPE_MASK] ?? "other";
}
