import { libc } from "../libc/libc.ts";
import { isBytes } from "../validate/bytes.ts";
import { recordPending } from "../io/fatal_error.ts";
import { type Descriptor, requireDescriptor } from "../io/descriptor.ts";
import { getOption, setOption, type SocketOption } from "../option/option.ts";
import { attachFilter, type BpfInstruction, detachFilter, lockFilter } from "../option/filter.ts";
import { exchangeRawOption, getRawOption, setRawOption } from "../option/raw_option.ts";
import { mayChooseDestination } from "../option/routing.ts";
import { requireEveryHost } from "../address/permissions.ts";

/** The base class of {@linkcode Socket} with its options: getsockopt(2), setsockopt(2), and filters.
 *
 * @example
 * ```ts
 * import { listen, type ConfigurableSocket, sockopt } from "@berkeley/sockets";
 *
 * // Makes the buffers of a socket as large as the system allows.
 * function enlarge(socket: ConfigurableSocket): void {
 *   for (const option of [sockopt.SO_RCVBUF, sockopt.SO_SNDBUF]) socket.setOption(option, 0x7fff_ffff);
 * }
 * using listener = listen({ hostname: "127.0.0.1", port: 0, control: enlarge });
 * ```
 */
export abstract class ConfigurableSocket {
  readonly #descriptor: Descriptor;

  /** @ignore */
  protected constructor(descriptor: Descriptor) {
    requireDescriptor(descriptor, "Socket.open makes sockets");
    this.#descriptor = descriptor;
  }

  /** The descriptor's number.
   *
   * @throws {Deno.errors.BadResource} if the socket is closed
   */
  get fd(): number {
    return this.#descriptor.fd;
  }

  /** Returns the value of an option: getsockopt(2).
   *
   * @throws {Deno.errors.NotSupported} if the running system lacks the option
   * @throws {SocketError} ENOPROTOOPT if this kind of socket does not have the option
   */
  getOption<T>(option: SocketOption<T>): T {
    const value = getOption(this.fd, option);
    if (option.name === "SO_ERROR") recordPending(this.#descriptor, value as number);
    return value;
  }

  /** Sets an option: setsockopt(2). {@linkcode sockopt} has the unit of each.
   *
   * @throws {TypeError} for a value of another type
   * @throws {RangeError} for a number outside the option's range
   * @throws {Deno.errors.NotSupported} if the running system lacks the option
   * @throws {SocketError} EPERM, EINVAL, ENOPROTOOPT, and others of setsockopt(2)
   */
  setOption<T>(option: SocketOption<T>, value: T): void {
    setOption(this.fd, option, value);
    this.#descriptor.afterChange?.();
  }

  /** Returns the bytes of an option: getsockopt(2).
   *
   * @param level the level, as the system's headers number it (SOL_SOCKET, …)
   * @param name the option, as the system's headers number it
   * @param length the maximum number of bytes to return, 0 to 65,536
   * @throws {TypeError} for a level or a name that is not a whole number
   * @throws {RangeError} for a length outside 0 to 65,536 bytes, or a number that does not fit 32 bits
   * @throws {SocketError} ENOPROTOOPT for an unknown option
   */
  getRawOption(level: number, name: number, length: number): Uint8Array;
  /** Returns the bytes of an option that reads what it is given, such as MCAST_MSFILTER: getsockopt(2).
   *
   * @param level the level, as the system's headers number it (SOL_SOCKET, …)
   * @param name the option, as the system's headers number it
   * @param value what the kernel reads first, at most 65,536 bytes; it is copied, and the array returned has at most as
   * many bytes
   * @throws {TypeError} for a level or a name that is not a whole number, a buffer that is detached or shared, and for
   * TCP_ZEROCOPY_RECEIVE, whose value holds addresses of memory
   * @throws {Deno.errors.NotCapable} without `--allow-net` for every host, for an option that can choose the destination
   * of packets
   * @throws {SocketError} ENOPROTOOPT for an unknown option, EINVAL for a value of another length
   */
  getRawOption(level: number, name: number, value: Uint8Array): Uint8Array;
  getRawOption(level: number, name: number, value: number | Uint8Array): Uint8Array {
    if (!isBytes(value)) return this.#readRawOption(level, name, value);
    if (mayChooseDestination(level, name)) requireEveryHost(`level ${level} option ${name}`);
    return exchangeRawOption(this.fd, level, name, value);
  }

  #readRawOption(level: number, name: number, length: number): Uint8Array {
    const value = getRawOption(this.fd, level, name, length);
    const { options } = libc().system;
    const isPending = level === options.SO_ERROR?.level && name === options.SO_ERROR.name && value.length >= 4;
    if (isPending) recordPending(this.#descriptor, new DataView(value.buffer).getInt32(0, true));
    return value;
  }

  /** Sets an option: setsockopt(2).
   *
   * @param level the level, as the system's headers number it (SOL_SOCKET, …)
   * @param name the option, as the system's headers number it
   * @param value bytes, or a number, which is passed as a C int
   * @throws {TypeError} for a value that is neither a whole number nor bytes
   * @throws {RangeError} for a number that does not fit 32 bits
   * @throws {Deno.errors.NotCapable} without `--allow-net` for every host, for an option that can choose the destination
   * of packets, such as IP_OPTIONS with a source route or IPV6_RTHDR
   * @throws {SocketError} EPERM, EINVAL, ENOPROTOOPT, and others of setsockopt(2)
   */
  setRawOption(level: number, name: number, value: Uint8Array | number): void {
    if (mayChooseDestination(level, name)) requireEveryHost(`level ${level} option ${name}`);
    setRawOption(this.fd, level, name, value);
    this.#descriptor.afterChange?.();
  }

  /** Attaches a classic BPF program, which decides of each packet how many of its bytes are received, 0 for none:
   * SO_ATTACH_FILTER, socket(7). It replaces the one before.
   *
   * @throws {TypeError} for a value that is not a program
   * @throws {RangeError} for a number outside its range, or not 1 to 4,096 instructions
   * @throws {Deno.errors.NotSupported} if the running system lacks SO_ATTACH_FILTER
   * @throws {SocketError} EINVAL for a program that the kernel refuses, EPERM if the filter is locked
   */
  attachFilter(program: readonly BpfInstruction[]): void {
    attachFilter(this.fd, program, "SO_ATTACH_FILTER");
  }

  /** Removes the filter: SO_DETACH_FILTER.
   *
   * @throws {Deno.errors.NotSupported} if the running system lacks SO_DETACH_FILTER
   * @throws {SocketError} ENOENT without a filter, EPERM if it is locked
   */
  detachFilter(): void {
    detachFilter(this.fd);
  }

  /** Makes the filter permanent: it can be neither removed nor replaced as long as the socket is open. SO_LOCK_FILTER.
   *
   * @throws {Deno.errors.NotSupported} if the running system lacks SO_LOCK_FILTER
   */
  lockFilter(): void {
    lockFilter(this.fd);
  }
}
