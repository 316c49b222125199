import { libc } from "../libc/libc.ts";
import { override } from "../libc/env.ts";
import { systemError, unwrap } from "../libc/socket_error.ts";
import { copyOptions, optionsShape, type WaitOptions } from "../validate/options.ts";
import { quote } from "../validate/quote.ts";
import { retryNextTurn } from "../io/backoff.ts";
import type { Descriptor } from "../io/descriptor.ts";
import { recordFatal } from "../io/fatal_error.ts";
import { fdKind, isFile } from "../io/fd_kind.ts";
import { sendParts } from "../io/gather.ts";
import { AGAIN, type Again, Operation, type RetryLater } from "../io/operation.ts";
import { OwnedFd } from "../io/owned_fd.ts";
import { scratchBytes } from "../io/scratch.ts";

/** Which part of a file is sent.
 *
 * @example
 * ```ts
 * import { type SendFileOptions, socketPair } from "@berkeley/sockets";
 *
 * const path = await Deno.makeTempFile();
 * await Deno.writeTextFile(path, "a file");
 * const [one, two] = socketPair("stream");
 * const options: SendFileOptions = { offset: 2, length: 4 };
 * console.log(await one.sendFile(path, options)); // 4
 * one.close();
 * two.close();
 * await Deno.remove(path);
 * ```
 */
export interface SendFileOptions extends WaitOptions {
  /** Where to begin, in bytes. Default: the beginning of a path's file, and the current position of a descriptor's, which
   * then advances. */
  offset?: number;
  /** How many bytes to send at most. Default: to the end of the file. */
  length?: number;
}

const OPTIONS = optionsShape<SendFileOptions>("sendFile", "{ offset, length, signal }", {
  signal: "signal",
  offset: "any",
  length: "any",
});

/** Copies and checks the options of sendFile. */
export function readSendFileOptions(given: SendFileOptions | undefined): SendFileOptions {
  const options = given === undefined ? {} : copyOptions(given, OPTIONS);
  for (const name of ["offset", "length"] as const) {
    const value = options[name];
    if (value === undefined || (Number.isSafeInteger(value) && value >= 0)) continue;
    throw new RangeError(`Invalid ${name}: ${quote(value)}, expected 0 bytes or more`);
  }
  return options;
}

/** A file to send, by a number that is asked for at each attempt: while one waits, an OwnedFd may be closed. */
interface SentFile {
  readonly fd: number;
  readonly close: () => void;
  /** Where to begin; null at the current position. */
  readonly offset: number | null;
}

/** O_RDONLY. */
const READ_ONLY = 0;

/** Finds the file that is to be sent. A path is opened by Deno first, which asks for `--allow-read`, and then by libc;
 * both have to find the same file.
 *
 * @throws {TypeError} for what is neither a path nor a descriptor, and for what is not a regular file
 */
function fileOf(file: unknown, offset: number | undefined): SentFile {
  if (file instanceof OwnedFd) {
    requireRegular(fdKind(file.fd), `Descriptor ${file.fd}`);
    return {
      get fd() {
        return file.fd;
      },
      close: () => {},
      offset: offset ?? null,
    };
  }
  if (typeof file === "number" && Number.isInteger(file) && file >= 0 && file <= 0x7fff_ffff) {
    requireRegular(fdKind(file + 0), `Descriptor ${file}`);
    // FFI refuses -0 as an integer, and adding 0 makes it one.
    return { fd: file + 0, close: () => {}, offset: offset ?? null };
  }
  if (typeof file !== "string") throw new TypeError(`Not a file: ${quote(file)}, expected a path or a descriptor`);
  const fd = openPath(file);
  return { fd, close: () => libc().c.close(fd), offset: offset ?? 0 };
}

function requireRegular(kind: string, what: string): void {
  if (kind !== "file") {
    throw new TypeError(`${what} is not a regular file but a ${kind}: read and write its bytes instead`);
  }
}

function openPath(path: string): number {
  const info = Deno.statSync(path);
  if (!info.isFile) throw new TypeError(`${quote(path)} is not a regular file`);
  using opened = Deno.openSync(path);
  const { c, system: { constants } } = libc();
  const flags = READ_ONLY | constants.O_NONBLOCK | constants.O_CLOEXEC;
  const fd = unwrap(c.open(new TextEncoder().encode(`${path}\0`), flags), "open", path);
  // Between the two the name may have come to mean another file, which no permission was asked for.
  if (isFile(fd, opened.statSync())) return fd;
  c.close(fd);
  throw new Deno.errors.NotFound(`open ${path}: the file was replaced meanwhile`);
}

/** Bytes of one sendfile(2), and calls of one attempt: reading a file blocks the event loop for as long as its disk
 * takes. */
const PORTION = 256 * 1024;
const BUDGET = 4;

/** What sendfile(2) returns for a file that it cannot send, or a sandbox for the call: the bytes are copied then. */
const REFUSALS: readonly string[] = ["EINVAL", "ENOSYS", "EOPNOTSUPP", "EPERM", "ESPIPE"];

let copying: boolean | undefined;

/** Whether files are copied from the first byte on. Tests switch that on to see the same results without sendfile(2). */
function copiesFiles(): boolean {
  const { c, system } = libc();
  return copying ??= !system.sendsFiles || c.sendfile === null || override("BERKELEY_SENDFILE") === "off";
}

/** Sends a file, or a part of it, after the writes before it. Resolves to the number of bytes sent. */
export class SendingFile extends Operation<number> {
  readonly syscall = "sendfile";
  readonly #descriptor: Descriptor;
  readonly #file: SentFile;
  readonly #length: number;
  /** Where sendfile(2) reads, and writes, the position; null for the file's own. */
  readonly #position: BigInt64Array<ArrayBuffer> | null;
  #copies = copiesFiles();
  #written = 0;

  constructor(descriptor: Descriptor, file: unknown, { offset, length = Infinity }: SendFileOptions) {
    super();
    this.#descriptor = descriptor;
    this.#length = length;
    this.#file = fileOf(file, offset);
    this.#position = this.#file.offset === null ? null : BigInt64Array.of(BigInt(this.#file.offset));
  }

  override attempt(): number | Again | RetryLater {
    for (let budget = BUDGET; this.#written < this.#length; budget--) {
      if (budget === 0) return retryNextTurn(this.#descriptor);
      const most = Math.min(this.#length - this.#written, PORTION);
      const length = this.#copies ? this.#copy(most) : this.#send(most);
      if (length === 0) break;
      if (length < 0) {
        if (this.#failed(-length)) return AGAIN;
        continue;
      }
      this.#written += length;
      this.#descriptor.bytesWritten += length;
    }
    return this.#written;
  }

  /** Adds the number of bytes written to the error. */
  override explain(error: Error): Error {
    return Object.assign(error, { bytesWritten: this.#written });
  }

  override settled(): void {
    this.#file.close();
  }

  /** Returns how many bytes went, or the negative errno. */
  #send(most: number): number {
    const { c, errno } = libc();
    const length = c.sendfile!(this.#descriptor.fd, this.#file.fd, this.#position, BigInt(most));
    return length === -1 ? -errno() : length;
  }

  /** The same by read(2) or pread(2) and sendmsg(2), at most as much as the thread's scratch memory holds. What was read
   * and not sent is read again. */
  #copy(most: number): number {
    const { c, errno } = libc();
    const scratch = scratchBytes();
    const room = scratch.subarray(0, Math.min(most, scratch.length));
    const at = this.#position === null ? c.lseek(this.#file.fd, 0n, SEEK_CUR) : this.#position[0]!;
    if (at < 0n) throw this.explain(systemError(errno(), "lseek"));
    const read = c.pread(this.#file.fd, room, BigInt(room.length), BigInt(at));
    if (read === -1) throw this.explain(systemError(errno(), "pread"));
    if (read === 0) return 0;
    const sent = sendParts(this.#descriptor.fd, [room.subarray(0, read)], {});
    if (sent <= 0) return sent;
    if (this.#position === null) c.lseek(this.#file.fd, BigInt(at) + BigInt(sent), SEEK_SET);
    else this.#position[0] = this.#position[0]! + BigInt(sent);
    return sent;
  }

  /** Whether to wait; otherwise the attempt goes on by copying. Throws for anything else. */
  #failed(errno: number): boolean {
    const { errors } = libc().system;
    if (errno === errors.EAGAIN) return true;
    if (errno === errors.EINTR) return false;
    if (!this.#copies && REFUSALS.some((name) => errors[name] === errno)) {
      this.#copies = true;
      return false;
    }
    const error = systemError(errno, this.#copies ? "sendmsg" : this.syscall);
    recordFatal(this.#descriptor, error);
    throw this.explain(error);
  }
}

/** From <unistd.h>, the same on every supported system. */
const SEEK_SET = 0;
const SEEK_CUR = 1;
