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

/** Calls fstat(2). What it wrote is valid until the next call. */
function stat(fd: number): DataView {
  const { c } = libc();
  buffer ??= new StatBuffer();
  const call = c.fstat_inode64 ?? c.fstat;
  if (call === null) throw new Deno.errors.NotSupported("This C library has no fstat(2)");
  unwrap(call(fd, buffer.bytes), "fstat", `descriptor ${fd}`);
  return buffer.view;
}

/** The kind of a descriptor: fstat(2). */
export function fdKind(fd: number): FdKind {
  const { mode, modeSize } = libc().system.layout.stat;
  const view = stat(fd);
  const bits = modeSize === 2 ? view.getUint16(mode, true) : view.getUint32(mode, true);
  return KINDS[bits & TYPE_MASK] ?? "other";
}

/** Whether a descriptor leads to the file that Deno has these numbers of. */
export function isFile(fd: number, { dev, ino }: { readonly dev: number; readonly ino: number | null }): boolean {
  const { layout } = libc().system;
  const view = stat(fd);
  const device = layout.stat.devSize === 4
    ? view.getInt32(layout.stat.dev, true)
    : Number(view.getBigUint64(layout.stat.dev, true));
  return device === dev && Number(view.getBigUint64(layout.stat.ino, true)) === ino;
}
