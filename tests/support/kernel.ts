/**
 * What tests ask of the kernel by trying: an old one, a sandbox or an emulator may lack what the table of its system has.
 *
 * @module
 */
import { isSocketError, Socket, type SocketError, type SocketOption, sockopt } from "../../mod.ts";

/** What a kernel says of an option that it does not know, or of which it knows another form. */
const UNKNOWN: readonly string[] = ["ENOPROTOOPT", "EOPNOTSUPP", "EINVAL"];

/** Why an option cannot be set to a value, or null. */
export function notSettable<T>(open: () => Socket, option: SocketOption<T>, value: T): string | null {
  if (!option.supported) return `no ${option.name}`;
  return unknownHere(option.name, () => {
    using socket = open();
    socket.setOption(option, value);
  });
}

/** Why a call that sets or reads an option cannot be made, or null: the kernel does not know the option. */
export function unknownHere(name: string, call: () => void): string | null {
  try {
    call();
    return null;
  } catch (error) {
    if (isSocketError(error) && UNKNOWN.includes(error.code)) return `this kernel has no ${name}`;
    throw error;
  }
}

/** Why a test that reads TCP_INFO of Linux cannot run, or null: at least the structure of Linux 2.6 is needed. */
export function noTcpInfo(): string | null {
  const [IPPROTO_TCP, TCP_INFO, LENGTH] = [6, 11, 104];
  using socket = Socket.open("inet", "stream");
  const { length } = socket.getRawOption(IPPROTO_TCP, TCP_INFO, LENGTH);
  return length === LENGTH ? null : `this kernel returns ${length} bytes of TCP_INFO`;
}

/** Why the interface that a socket is bound to cannot be read, or null: SO_BINDTODEVICE, which older
 * kernels do not return. */
export function noInterfaceReading(): string | null {
  if (!sockopt.SO_BINDTODEVICE.supported) return "no SO_BINDTODEVICE";
  using socket = Socket.open("inet", "dgram");
  try {
    socket.getOption(sockopt.SO_BINDTODEVICE);
    return null;
  } catch (error) {
    return `SO_BINDTODEVICE cannot be read: ${(error as SocketError).code}`;
  }
}

/** Numbers of read(2), <asm/unistd.h>. */
const READ: Readonly<Record<string, number>> = { x86_64: 0, aarch64: 63 };

/** Why what the kernel does cannot be asked of this program's own system calls, or null: where an emulator makes others
 * in their place, with memory of its own, the one that reads this file is not read(2) of this processor. */
export const noOwnCalls: string | null = readsByItself()
  ? null
  : "the kernel sees other system calls than the program's";

function readsByItself(): boolean {
  try {
    return Number(Deno.readTextFileSync("/proc/thread-self/syscall").split(" ")[0]) === READ[Deno.build.arch];
  } catch {
    // Not Linux, or not to be read here: nothing says so.
    return true;
  }
}
