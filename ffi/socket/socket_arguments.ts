import { libc } from "../libc/libc.ts";
import { isSocketError } from "../libc/socket_error.ts";
import { readFamily } from "../struct/sockaddr.ts";
import { decodeNet, decodeUnix, type UnixAddr } from "../address/address.ts";
import { requireEveryHost } from "../address/permissions.ts";
import { peerName, socketName } from "../address/sockname.ts";
import { getOption } from "../option/option.ts";
import { sockopt } from "../option/sockopt.ts";
import { requireInt } from "../validate/number.ts";
import { copyOptions, optionsShape, type WaitOptions } from "../validate/options.ts";
import { quote } from "../validate/quote.ts";
import { type ControlMessage, encodeControl, MOST_CONTROL } from "../io/control_message.ts";
import { type Descriptor, openDescriptor } from "../io/descriptor.ts";
import { type ReceiveFlags, requireFlags } from "../io/transfer.ts";

/** A number as it is given, or the number of a word. */
export function numberOf<K extends string>(what: string, given: unknown, words: Readonly<Record<K, number>>): number {
  if (typeof given === "number" && Number.isInteger(given)) return requireInt(what, given);
  if (typeof given === "string" && Object.hasOwn(words, given)) return words[given as K];
  const known = Object.keys(words).map(quote).join(", ");
  throw new TypeError(`Unknown ${what}: ${quote(given)}, expected ${known === "" ? "" : `${known} or `}a number`);
}

/** Opens the socket of a family and a type, each by name or number. */
export function openSocket(domain: unknown, type: unknown, protocol: unknown): Descriptor {
  const { constants } = libc().system;
  const domains = { inet: constants.AF_INET, inet6: constants.AF_INET6, unix: constants.AF_UNIX };
  const types = {
    stream: constants.SOCK_STREAM,
    dgram: constants.SOCK_DGRAM,
    seqpacket: constants.SOCK_SEQPACKET,
    raw: constants.SOCK_RAW,
  };
  const family = numberOf("domain", domain, domains);
  const kind = numberOf("type", type, types);
  // Sockets of these types receive nothing before bind or connect, which check the address. Others may receive the
  // traffic of all hosts without bind. A type with flags is not in this list, since the kernel masks the flags.
  const askedByAddress = [constants.SOCK_STREAM, constants.SOCK_DGRAM, constants.SOCK_SEQPACKET];
  if (!askedByAddress.includes(kind) || !Object.values(domains).includes(family)) {
    requireEveryHost(`sockets of domain ${domain} and type ${type}`);
  }
  return openDescriptor(family, kind, numberOf("protocol", protocol, {}));
}

type AnyAddress = Deno.NetAddr | UnixAddr | Uint8Array<ArrayBuffer>;

/** The address of a socket itself. */
export function localAddress(fd: number): AnyAddress {
  return decode(fd, socketName(fd).slice());
}

/** The address of the peer; null where there is none. */
export function remoteAddress(fd: number): AnyAddress | null {
  let name: Uint8Array<ArrayBuffer> | null;
  try {
    name = peerName(fd);
  } catch (error) {
    // Sockets of some families have no peers at all.
    if (isSocketError(error) && error.code === "EOPNOTSUPP") return null;
    throw error;
  }
  return name === null ? null : decode(fd, name.slice());
}

function decode(fd: number, sockaddr: Uint8Array<ArrayBuffer>): AnyAddress {
  const { constants } = libc().system;
  const family = readFamily(libc().system, sockaddr, 0);
  const type = getOption(fd, sockopt.SO_TYPE);
  if (family === constants.AF_INET || family === constants.AF_INET6) {
    return decodeNet(type === constants.SOCK_STREAM ? "tcp" : "udp", sockaddr);
  }
  if (family !== constants.AF_UNIX) return sockaddr;
  const transport = type === constants.SOCK_DGRAM ? "unixpacket" : "unix";
  return decodeUnix(type === constants.SOCK_SEQPACKET ? "seqpacket" : transport, sockaddr, sockaddr.length);
}

type ReceiveOptions = WaitOptions & { flags?: number; controlLength?: number };
type SendOptions = WaitOptions & { flags?: number; control?: readonly ControlMessage[] };

const RECEIVE = optionsShape<ReceiveOptions>("Socket.receive", "{ signal, flags, controlLength }", {
  signal: "signal",
  flags: "any",
  controlLength: "any",
});

const SEND = optionsShape<SendOptions>("Socket.send", "{ signal, flags, control }", {
  signal: "signal",
  flags: "any",
  control: "any",
});

const PLAIN: ReceiveFlags = { flags: 0, controlLength: 0 };

/** Copies and checks the options of one receive. */
export function readReceiveOptions(
  given: ReceiveOptions | undefined,
): { how: ReceiveFlags; wait: WaitOptions | undefined } {
  if (given === undefined) return { how: PLAIN, wait: undefined };
  const { signal, flags, controlLength = 0 } = copyOptions<ReceiveOptions>(given, RECEIVE);
  if (!Number.isInteger(controlLength) || controlLength < 0 || controlLength > MOST_CONTROL) {
    throw new RangeError(`Invalid controlLength: ${quote(controlLength)}, expected 0 to ${MOST_CONTROL} bytes`);
  }
  return { how: { flags: requireFlags(flags, "receive"), controlLength }, wait: { signal } };
}

/** Copies and checks the options of one send. */
export function readSendOptions(
  given: SendOptions | undefined,
): { flags: number; control: Uint8Array<ArrayBuffer> | null; wait: WaitOptions | undefined } {
  if (given === undefined) return { flags: 0, control: null, wait: undefined };
  const { signal, flags, control } = copyOptions<SendOptions>(given, SEND);
  return { flags: requireFlags(flags, "send"), control: encodeControl(control), wait: { signal } };
}
