import { libc } from "../libc/libc.ts";
import { isSocketError, systemError } from "../libc/socket_error.ts";
import { setControl, setName } from "../struct/msghdr.ts";
import { hasVectoredCalls, MessageVector } from "./mmsg.ts";
import { AddressCache, lengthOf, refusedBytes, requireBytes } from "../validate/bytes.ts";
import type { Descriptor } from "../io/descriptor.ts";
import type { Destination } from "./destinations.ts";
import { withMtu } from "./path_mtu.ts";
import { unlessReported } from "./reports.ts";
import { withHint } from "./send_hints.ts";
import { readSource, type SendOptions, type Source } from "./source.ts";
import { retryNextTurn } from "../io/backoff.ts";
import { sendingMessage } from "../io/message.ts";
import { mayBeLonger } from "../io/refused_send.ts";
import { AGAIN, type Again, Operation, type RetryLater } from "../io/operation.ts";
import { quote } from "../validate/quote.ts";

/** Bytes for the control messages of one datagram with a source, a TTL and a class: 40 + 24 + 24 on Linux. */
const SEND_CONTROL_ROOM = 128;

/** Maximum number of datagrams in one call. */
const VECTOR = 64;

/** Datagrams of up to this length in bytes are copied into memory with a known address, which is faster than finding the
 * address of theirs. */
const COPIED = 2048;

/** Datagrams sent in one turn of the event loop, so that timers and other sockets have theirs. */
const MOST_IN_TURN = 1024;

/** Sends one datagram: sendmsg(2). On a connected socket, ECONNREFUSED is about an earlier datagram, so the error has no
 * address. */
export function sendOne(
  descriptor: Descriptor,
  data: Uint8Array,
  to: Destination | null,
  controlLength: number,
  source: Source | null = null,
): number | Again {
  try {
    if (descriptor.takeReports !== null) {
      return unlessReported(descriptor, () => sendBytes(descriptor, data, to, controlLength));
    }
    return sendBytes(descriptor, data, to, controlLength);
  } catch (error) {
    throw failedSend(descriptor, error, to, source);
  }
}

function sendBytes(
  { fd }: Descriptor,
  data: Uint8Array,
  to: Destination | null,
  controlLength: number,
): number | Again {
  return sendingMessage().send(fd, data, to?.sockaddr ?? null, controlLength, to?.text);
}

/** The error of a send that failed, with what is known of its cause. */
export function failedSend(
  descriptor: Descriptor,
  error: unknown,
  to: Destination | null,
  source: Source | null,
): unknown {
  if (descriptor.closed || !isSocketError(error)) return error;
  if (to !== null && error.code === "ECONNREFUSED") return systemError(error.errno, error.syscall);
  if (error.code === "EMSGSIZE") return withMtu(error, descriptor.fd, to);
  return withHint(error, descriptor.fd, to, source);
}

/** A control message to send, and the source that it encodes. */
export interface SendControl {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly source: Source;
}

/** Sends one datagram with the control messages of a source, if there is one. */
export function sendControlled(
  descriptor: Descriptor,
  data: Uint8Array,
  to: Destination | null,
  control: SendControl | null,
): number | Again {
  if (control === null) return sendOne(descriptor, data, to, 0);
  sendingMessage().control.set(control.bytes);
  return sendOne(descriptor, data, to, control.bytes.length, control.source);
}

/** Sends one datagram, to a destination or to the connected peer. */
export class SendingDatagram extends Operation<number> {
  readonly syscall = "sendmsg";
  readonly #descriptor: Descriptor;
  readonly #p: Uint8Array;
  readonly #to: Destination | null;
  readonly #control: SendControl | null;

  constructor(descriptor: Descriptor, p: Uint8Array, to: Destination | null, control: SendControl | null) {
    super();
    this.#control = control;
    this.#descriptor = descriptor;
    this.#p = p;
    this.#to = to;
  }

  override get address(): string | undefined {
    return this.#to?.text;
  }

  override attempt(): number | Again {
    return sendControlled(this.#descriptor, this.#p, this.#to, this.#control);
  }
}

/** A datagram ready to be sent. */
export interface Outgoing {
  readonly data: Uint8Array;
  /** Null for the connected peer. */
  readonly to: Destination | null;
  readonly control: SendControl | null;
}

/** The memory from which batches are sent. Calls are synchronous, so all sockets of a thread share one. */
class SendingVector extends MessageVector {
  readonly #addresses = new AddressCache();
  /** The arrays whose addresses are passed to the kernel, until the call has returned. `#fill` has checked them, and no
   * code of the caller runs before the call. */
  readonly #held: (Uint8Array | null)[] = new Array(VECTOR).fill(null);
  readonly #names: (Uint8Array | null | undefined)[] = new Array(VECTOR).fill(undefined);
  readonly #controls: (SendControl | null)[] = new Array(VECTOR).fill(null);

  constructor() {
    super({ capacity: VECTOR, dataSize: COPIED, controlSize: SEND_CONTROL_ROOM });
    for (let index = 0; index < VECTOR; index++) this.#setControl(index, null);
  }

  put(index: number, { data, to, control }: Outgoing): void {
    const length = lengthOf(data);
    if (length <= COPIED) {
      this.data.set(data, index * COPIED);
      this.useOwnData(index, length);
    } else {
      this.#held[index] = data;
      this.useAddress(index, this.#addresses.of(data), length);
    }
    if (this.#controls[index] !== control) this.#setControl(index, control);
    const sockaddr = to === null ? null : to.sockaddr;
    if (this.#names[index] === sockaddr) return;
    this.#names[index] = sockaddr;
    if (sockaddr !== null) this.headers.set(sockaddr, this.nameOffset(index));
    const { layout } = libc().system;
    setName(layout, this.view, this.headerOffset(index), this.nameAddress(index), sockaddr?.length ?? 0);
  }

  #setControl(index: number, control: SendControl | null): void {
    this.#controls[index] = control;
    if (control !== null) this.headers.set(control.bytes, this.controlOffset(index));
    const { layout } = libc().system;
    setControl(layout, this.view, this.headerOffset(index), this.controlAddress(index), control?.bytes.length ?? 0);
  }

  release(count: number): void {
    for (let index = 0; index < count; index++) this.#held[index] = null;
  }
}

let sendingVector: SendingVector | undefined;

/** Sends datagrams in order, as many in one call as possible. Resolves to their number. */
export class SendingMany extends Operation<number> {
  readonly syscall = "sendmmsg";
  readonly #descriptor: Descriptor;
  readonly #outgoing: readonly Outgoing[];
  /** On a connected socket a send can fail with the error of an earlier datagram, which sendmmsg(2) does not report if it
   * has sent others before; datagrams are then sent one by one. */
  readonly #connected: boolean;
  #sent = 0;

  constructor(descriptor: Descriptor, outgoing: readonly Outgoing[], connected: boolean) {
    super();
    this.#descriptor = descriptor;
    this.#outgoing = outgoing;
    this.#connected = connected;
  }

  override get address(): string | undefined {
    return this.#outgoing[this.#sent]?.to?.text;
  }

  override attempt(): number | Again | RetryLater {
    const limit = this.#sent + MOST_IN_TURN;
    while (this.#sent < this.#outgoing.length) {
      // The kernel may take all there is: the next turn of the event loop goes on, after what waits for this one.
      if (this.#sent >= limit) return retryNextTurn(this.#descriptor);
      try {
        const count = this.#connected || !hasVectoredCalls() ? this.#sendOne() : this.#sendSeveral();
        if (count === AGAIN) return AGAIN;
        this.#sent += count;
      } catch (error) {
        throw this.explain(error as Error);
      }
    }
    return this.#sent;
  }

  /** Adds the number of datagrams sent to the error. */
  override explain(error: Error): Error {
    return Object.assign(error, { sent: this.#sent });
  }

  #sendSeveral(): number | Again {
    if (this.#descriptor.takeReports === null) return this.#sendVector();
    return unlessReported(this.#descriptor, () => this.#sendVector());
  }

  #sendOne(): number | Again {
    const { data, to, control } = this.#outgoing[this.#sent]!;
    return sendControlled(this.#descriptor, data, to, control) === AGAIN ? AGAIN : 1;
  }

  /** Fills the vector with as many datagrams as fit. One whose buffer was transferred meanwhile throws only when all before
   * it have been sent. */
  #fill(vector: SendingVector): number {
    const most = Math.min(VECTOR, this.#outgoing.length - this.#sent);
    for (let index = 0; index < most; index++) {
      const outgoing = this.#outgoing[this.#sent + index]!;
      // That it is a Uint8Array without shared memory was checked before; only its memory may have been transferred since.
      const refusal = lengthOf(outgoing.data) === 0 ? refusedBytes(outgoing.data) : null;
      if (refusal !== null && index === 0) throw refusal;
      if (refusal !== null) return index;
      vector.put(index, outgoing);
    }
    return most;
  }

  #sendVector(): number | Again {
    const { c, errno, system: { constants, errors } } = libc();
    const vector = sendingVector ??= new SendingVector();
    const count = this.#fill(vector);
    for (;;) {
      const sent = c.sendmmsg!(this.#descriptor.fd, vector.pointer, count, constants.MSG_NOSIGNAL);
      const code = sent === -1 ? errno() : 0;
      if (code === errors.EINTR) continue;
      if (mayBeLonger(this.#descriptor.fd, code, lengthOf(this.#outgoing[this.#sent]!.data))) continue;
      vector.release(count);
      if (sent !== -1) return sent;
      if (code === errors.EAGAIN) return AGAIN;
      const { to, control } = this.#outgoing[this.#sent]!;
      const error = systemError(code, "sendmmsg", to?.text);
      throw failedSend(this.#descriptor, error, to, control?.source ?? null);
    }
  }
}

/** Throws a TypeError for a value that is not iterable. */
export function requireList(datagrams: unknown): void {
  const iterable = typeof (datagrams as Iterable<unknown> | null)?.[Symbol.iterator] === "function";
  // Bytes can be iterated too, and are one datagram's.
  if (iterable && !ArrayBuffer.isView(datagrams) && typeof datagrams !== "string") return;
  throw new TypeError(`Expected an array of datagrams, got ${quote(datagrams)}`);
}

/** A datagram of a list, as it was given. */
export interface GivenDatagram {
  readonly data: Uint8Array;
  readonly addr: Deno.NetAddr | undefined;
  readonly source: Source | null;
}

/** Copies and checks a datagram to be sent. */
export function readDatagram(datagram: unknown): GivenDatagram {
  if (datagram === null || typeof datagram !== "object") {
    throw new TypeError(`Not a datagram: ${quote(datagram)}, expected { data, addr }`);
  }
  const { data, addr, source, interfaceIndex, ttl, trafficClass } = datagram as Record<string, unknown>;
  requireBytes(data);
  const plain = source === undefined && interfaceIndex === undefined && ttl === undefined && trafficClass === undefined;
  const asked = { source, interfaceIndex, ttl, trafficClass } as Omit<SendOptions, "signal">;
  return { data, addr: addr as Deno.NetAddr | undefined, source: plain ? null : readSource(asked) };
}
