import { libc } from "../libc/libc.ts";
import { thisSystem } from "../libc/host.ts";
import { encodeUnix } from "./address.ts";
import { nothingIsLimited, type UnixPlace } from "./permissions.ts";

const encoder = new TextEncoder();

/** An absolute path without ".", "..", or empty parts, as Deno makes one: by its text alone, so that ".." behind a
 * symbolic link leads back to where the link is. */
function normalize(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** Fixes where a path leads, before anything that could change the directory: the one absolute path that is asked
 * about, bound or connected, and removed. Throws TypeError for a path that no sockaddr holds. */
export function locate(given: string): UnixPlace {
  encodeUnix(given);
  if (given === "" || given.startsWith("\0")) return { given, file: null };
  const absolute = given.startsWith("/") ? given : `${Deno.cwd()}/${given}`;
  const file = normalize(absolute);
  return { given, file: file === absolute || !nothingIsLimited() ? file : absolute };
}

/** The directory of an absolute path. */
export function directoryOf(file: string): string {
  return file.replace(/\/[^/]*$/, "") || "/";
}

function fits(path: string): boolean {
  return encoder.encode(path).length < thisSystem().layout.sockaddr_un.pathSize;
}

/** A place as a system call takes it. */
export class UnixTarget implements Disposable {
  readonly sockaddr: Uint8Array<ArrayBuffer>;
  /** The directory of a path that does not fit sun_path, open until this is disposed. */
  readonly #directory: number | null;

  constructor(sockaddr: Uint8Array<ArrayBuffer>, directory: number | null) {
    this.sockaddr = sockaddr;
    this.#directory = directory;
  }

  /** Whether the sockaddr is only good until this is disposed. */
  get lapses(): boolean {
    return this.#directory !== null;
  }

  [Symbol.dispose](): void {
    if (this.#directory !== null) libc().c.close(this.#directory);
  }
}

/** Writes a place as a sockaddr that means the same wherever the program's directory is by then. A path that is too
 * long for sun_path goes by its directory's descriptor, /proc/self/fd/N/name of proc(5). */
export function targetOf({ given, file }: UnixPlace): UnixTarget {
  if (file === null) return new UnixTarget(encodeUnix(given), null);
  if (fits(file)) return new UnixTarget(encodeUnix(file), null);
  const { c, system } = libc();
  const path = directoryOf(file);
  const directory = c.open(encoder.encode(`${path}\0`), system.constants.O_CLOEXEC);
  const name = `/proc/self/fd/${directory}/${file.slice(file.lastIndexOf("/") + 1)}`;
  if (directory !== -1 && fits(name) && hasDescriptorPaths()) return new UnixTarget(encodeUnix(name), directory);
  if (directory !== -1) c.close(directory);
  // A directory that may not be read, or a system without /proc.
  return new UnixTarget(encodeUnix(meansNow(given, file) ? given : file), null);
}

/** Whether descriptors have paths here. */
function hasDescriptorPaths(): boolean {
  const { c, system } = libc();
  const directory = c.open(encoder.encode("/proc/self/fd\0"), system.constants.O_CLOEXEC);
  if (directory === -1) return false;
  c.close(directory);
  return true;
}

/** Writes a place as bind(2) takes it, whose words the socket then has as its name: as the caller gave it where that
 * means the same file still. */
export function bindingOf(place: UnixPlace): UnixTarget {
  const { given, file } = place;
  const isRelative = file !== null && !given.startsWith("/");
  if (isRelative && (!fits(file) || nothingIsLimited()) && meansNow(given, file)) {
    return new UnixTarget(encodeUnix(given), null);
  }
  return targetOf(place);
}

/** Whether a relative path leads to a file from the directory that the program is in now. */
function meansNow(given: string, file: string): boolean {
  return `${Deno.cwd()}/${given}` === file;
}
