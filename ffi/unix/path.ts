import { libc } from "../libc/libc.ts";
import { systemError, unwrap } from "../libc/socket_error.ts";
import { formatAddress } from "../address/address.ts";
import { type Descriptor, openDescriptor } from "../io/descriptor.ts";
import { requireUnix, type UnixPlace } from "../address/permissions.ts";
import { bindingOf, directoryOf, locate, targetOf } from "../address/unix_path.ts";
import { quote } from "../validate/quote.ts";

/** Options for the file that a Unix socket is bound to.
 *
 * @example
 * ```ts
 * import { listen, type UnixPathOptions } from "@berkeley/sockets";
 *
 * const options: UnixPathOptions = { mode: 0o660, replaceStale: true, unlinkOnClose: false };
 * const path = `/tmp/berkeley-${Deno.pid}.sock`;
 * listen({ transport: "unix", path, ...options }).close();
 * listen({ transport: "unix", path, ...options }).close(); // replaces what the first one left
 * Deno.removeSync(path);
 * ```
 */
export interface UnixPathOptions {
  /** Permission bits of the new socket file, 0 to 0o777, set before anyone can connect. Default: what the umask leaves.
   */
  mode?: number;
  /** Removes the file of a socket that refuses connections before it binds. A socket in use is still AddrInUse, and
   * anything but a socket is never removed. Default false. */
  replaceStale?: boolean;
  /** Removes the file on close, unless another file has taken its place. Default true. */
  unlinkOnClose?: boolean;
}

/** Attempts to lock the directory, and milliseconds between them. */
const LOCK_TRIES = 100;
const LOCK_PAUSE = 10;
const LOCKED = "replaceStale: true locks the directory, and another process has held the lock for a second";

const encoder = new TextEncoder();

/** Throws TypeError for anything but a path: an empty one would be another address. */
export function requirePath(path: unknown): string {
  if (typeof path === "string" && path !== "") return path;
  const hint = path === null ? "; an unbound socket has no path" : "";
  throw new TypeError(`Invalid path: ${quote(path)}, expected the path of a Unix socket${hint}`);
}

/** A checked place to bind to, and how to bind, copied from the caller's options. */
export interface BindablePath {
  readonly place: UnixPlace;
  readonly mode: number | undefined;
  readonly replaceStale: boolean;
}

/** Checks the path, the mode and the permissions, before there is a socket. */
export function requireBindable(path: string, options: UnixPathOptions): BindablePath {
  const { mode, replaceStale = false } = options;
  if (mode !== undefined && (!Number.isInteger(mode) || mode < 0 || mode > 0o777)) {
    const octal = Number.isInteger(mode) && mode > 0 ? ` (0o${mode.toString(8)})` : "";
    throw new TypeError(`Invalid mode: ${quote(mode)}${octal}, expected permission bits from 0 to 0o777`);
  }
  const place = locate(path);
  requireUnix(place, "socket");
  // FFI refuses -0 as an integer, and adding 0 makes it one.
  return { place, mode: mode === undefined ? undefined : mode + 0, replaceStale };
}

/** Binds a socket to a path or an abstract name and calls `then` (listen, for a stream) before the directory is
 * unlocked. The descriptor owns the file from then on. */
export function bindPath(
  descriptor: Descriptor,
  bindable: BindablePath,
  then: () => void = () => {},
): void {
  const { place, replaceStale } = bindable;
  const { file } = place;
  const steps = () => {
    bind(descriptor, bindable);
    then();
  };
  if (file !== null && replaceStale) {
    locked(directoryOf(file), () => {
      removeStale(place, file);
      steps();
    });
  } else steps();
}

function bind(descriptor: Descriptor, { place, mode, replaceStale }: BindablePath): void {
  const { given, file } = place;
  using target = bindingOf(place);
  const code = bindWithMode(descriptor.fd, target.sockaddr, file === null ? undefined : mode);
  if (code !== 0) throw bindError(code, given, file, replaceStale);
  if (file === null) return;
  ownPath(descriptor, file);
  if (mode !== undefined) unwrap(libc().c.chmod(encoder.encode(`${file}\0`), mode), "chmod", given);
}

/** bind(2) such that the file never has more permission bits than requested, not even before chmod(2). Returns 0 or the
 * errno. */
function bindWithMode(fd: number, sockaddr: Uint8Array<ArrayBuffer>, mode: number | undefined): number {
  const { c, errno, system } = libc();
  const call = () => c.bind(fd, sockaddr, sockaddr.length) === -1 ? errno() : 0;
  if (mode === undefined) return call();
  // Linux creates the file with the mode of the socket and the umask.
  if (system.bindKeepsMode) {
    c.fchmod(fd, mode);
    return call();
  }
  // The umask is the process's: whatever another thread creates until the next line has no more bits either.
  const before = c.umask(~mode & 0o777);
  const code = call();
  c.umask(before);
  return code;
}

function bindError(errno: number, path: string, file: string | null, replaceStale: boolean): Error {
  const { EADDRINUSE, EACCES, ENOENT } = libc().system.errors;
  if (errno === ENOENT) return systemError(errno, "bind", path, "the directory does not exist");
  if (errno === EACCES) return systemError(errno, "bind", path, "the directory is not writable");
  if (errno !== EADDRINUSE) return systemError(errno, "bind", formatAddress({ transport: "unix", path }));
  if (file === null) return systemError(errno, "bind", `@${path.slice(1)}`, "another socket has the name");
  const socket = replaceStale
    ? "the socket at that path is in use; it is left as it is"
    : "the path is a socket; replaceStale: true removes it unless it is in use";
  const help = isSocketFile(file) ? socket : "the path exists and is not a socket; it is left as it is";
  return systemError(errno, "bind", path, help);
}

function isSocketFile(path: string): boolean {
  try {
    return Deno.lstatSync(path).isSocket ?? false;
  } catch {
    return false;
  }
}

/** A text that tells one file from another at the same path; null without a file. */
function identity(path: string): string | null {
  try {
    const { dev, ino, birthtime } = Deno.lstatSync(path);
    return `${dev} ${ino} ${birthtime?.getTime() ?? ""}`;
  } catch {
    return null;
  }
}

/** Whether closing a descriptor removes its file. */
const unlinkers = new WeakMap<Descriptor, { unlink: boolean }>();

function ownPath(descriptor: Descriptor, file: string): void {
  const made = identity(file);
  const choice = { unlink: true };
  unlinkers.set(descriptor, choice);
  descriptor.beforeClose = (closing) => {
    if (closing && choice.unlink && made !== null && identity(file) === made) remove(file);
  };
}

/** Removes a file. A failure is ignored, as in Go: the socket is closed either way. */
function remove(file: string): void {
  try {
    Deno.removeSync(file);
  } catch {
    // Permissions may have been revoked since.
  }
}

/** Sets whether the file stays on close. Until this is called, a socket whose opening fails removes its file. */
export function keepPath(descriptor: Descriptor, keep: boolean): void {
  const choice = unlinkers.get(descriptor);
  if (choice !== undefined) choice.unlink = !keep;
}

/** Runs steps under a lock of the directory, flock(2): two servers that replace the same path take turns. The lock leaves
 * no file behind and ends with the process. */
function locked(directory: string, steps: () => void): void {
  const { c, errno, system: { constants, errors } } = libc();
  const fd = unwrap(c.open(encoder.encode(`${directory}\0`), constants.O_CLOEXEC), "open", directory, (code) => {
    return code === "EACCES" ? "replaceStale: true locks the directory, which has to be readable" : undefined;
  });
  try {
    for (let tries = 1; c.flock(fd, constants.LOCK_EX | constants.LOCK_NB) === -1; tries++) {
      const code = errno();
      if (code !== errors.EAGAIN) throw systemError(code, "flock", directory);
      if (tries === LOCK_TRIES) throw systemError(code, "flock", directory, LOCKED);
      c.poll(new Uint8Array(8), 0, LOCK_PAUSE);
    }
    steps();
  } finally {
    c.close(fd);
  }
}

/** Removes the file of a socket that no process has open. */
function removeStale(place: UnixPlace, file: string): void {
  using target = targetOf(place);
  const found = identity(file);
  if (!isSocketFile(file) || !isRefused(target.sockaddr) || identity(file) !== found) return;
  try {
    Deno.removeSync(file);
  } catch (error) {
    // Another process removed it first.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Whether no socket has the path, so that connecting is refused. A datagram socket asks: where a listener has it, the
 * answer is EPROTOTYPE, also before it listens, and with a full backlog, which some systems report as a refusal too. Any
 * other error may come from a socket in use. */
function isRefused(sockaddr: Uint8Array<ArrayBuffer>): boolean {
  const { c, errno, system: { constants, errors } } = libc();
  const probe = openDescriptor(constants.AF_UNIX, constants.SOCK_DGRAM, 0);
  const refused = c.connect(probe.fd, sockaddr, sockaddr.length) === -1 && errno() === errors.ECONNREFUSED;
  probe.close();
  return refused;
}
