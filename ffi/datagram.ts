import { SOCKADDR_STORAGE_SIZE } from "./memory/sockaddr.ts";
import { asSocketError, type SocketError } from "./libc/system_error.ts";
import { decodeNet } from "./socket/addresses.ts";
import type { Descriptor } from "./socket/descriptor.ts";
import type { Destination } from "./socket/destinations.ts";
import { inward, outward } from "./socket/message.ts";
import { AGAIN, type Again, Operation } from "./socket/operation.ts";

/** A datagram with what the kernel knows of it. */
export interface Datagram {
  /** The bytes, in memory of their own. */
  data: Uint8Array<ArrayBuffer>;
  /** Who sent it. */
  addr: Deno.NetAddr;
  /** The datagram was longer than the buffer and the rest is gone. */
  truncated: boolean;
  /** With `packetInfo`: the address it was sent to. */
  destination?: string | undefined;
  /** With `packetInfo`: the index of the interface it came in on. */
  interfaceIndex?: number | undefined;
  /** With `packetInfo`: its TTL or hop limit. */
  ttl?: number | undefined;
  /** With `packetInfo`: its type of service or traffic class. */
  trafficClass?: number | undefined;
  /** With `timestamps`: when the kernel took it in, milliseconds since the epoch, with fraction. */
  timestamp?: number | undefined;
}

/** The longest payload of UDP over IPv4; IPv6 fits 20 more, and nobody should count on those. */
export const LONGEST_DATAGRAM = 65_507;

/** Where datagrams of unknown length are received before they are copied out. One for all sockets of a thread, since nothing runs
 * between a receive and its copy. */
class Scratch {
  readonly bytes = new Uint8Array(65_536);
}

let scratch: Scratch | undefined;

export function scratchBytes(): Uint8Array<ArrayBuffer> {
  return (scratch ??= new Scratch()).bytes;
}

/** The error for a datagram that no network could carry: made here, the kernel's would not say how long it may be. */
export function tooLong(length: number): SocketError {
  const error = new RangeError(`A datagram of ${length} bytes, expected ${LONGEST_DATAGRAM} at most`);
  return asSocketError(error, { code: "EMSGSIZE", errno: 0, syscall: "sendmsg", timeout: false });
}

/** Receives one datagram into the caller's buffer, or into memory of its own. */
export class ReceivingPair extends Operation<[Uint8Array<ArrayBuffer>, Deno.NetAddr]> {
  readonly syscall = "recvmsg";
  readonly #descriptor: Descriptor;
  readonly #p: Uint8Array<ArrayBuffer> | undefined;

  constructor(descriptor: Descriptor, p: Uint8Array<ArrayBuffer> | undefined) {
    super();
    this.#descriptor = descriptor;
    this.#p = p;
  }

  override attempt(): [Uint8Array<ArrayBuffer>, Deno.NetAddr] | Again {
    const message = inward();
    const p = this.#p ?? scratchBytes();
    const length = message.receive(this.#descriptor.fd, p, 0, SOCKADDR_STORAGE_SIZE, 0);
    if (length === AGAIN) return AGAIN;
    const data = this.#p === undefined ? p.slice(0, length) : p.subarray(0, length);
    return [data, decodeNet("udp", message.name)];
  }
}

/** Receives one datagram whole, with what the kernel knows of it. */
export class ReceivingDatagram extends Operation<Datagram> {
  readonly syscall = "recvmsg";
  readonly #descriptor: Descriptor;
  readonly #maxLength: number;

  constructor(descriptor: Descriptor, maxLength: number) {
    super();
    this.#descriptor = descriptor;
    this.#maxLength = maxLength;
  }

  override attempt(): Datagram | Again {
    const message = inward();
    const room = scratchBytes().subarray(0, this.#maxLength);
    const length = message.receive(this.#descriptor.fd, room, 0, SOCKADDR_STORAGE_SIZE, 0);
    if (length === AGAIN) return AGAIN;
    return { data: room.slice(0, length), addr: decodeNet("udp", message.name), truncated: message.truncated };
  }
}

/** Sends one datagram, to a destination or to the connected peer. */
export class SendingDatagram extends Operation<number> {
  readonly syscall = "sendmsg";
  readonly #descriptor: Descriptor;
  readonly #p: Uint8Array;
  readonly #to: Destination | null;

  constructor(descriptor: Descriptor, p: Uint8Array, to: Destination | null) {
    super();
    this.#descriptor = descriptor;
    this.#p = p;
    this.#to = to;
  }

  override attempt(): number | Again {
    return outward().send(this.#descriptor.fd, this.#p, this.#to?.sockaddr ?? null, 0, this.#to?.text);
  }
}
