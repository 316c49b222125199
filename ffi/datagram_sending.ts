import { LONGEST_DATAGRAM, tooLong } from "./datagram.ts";
import { libc } from "./libc/libc.ts";
import { isSocketError, systemError } from "./libc/system_error.ts";
import { controlSpace, writeControlMessage } from "./memory/cmsg.ts";
import { setNameLength } from "./memory/msghdr.ts";
import { hasVectoredCalls, MessageVector } from "./message_vector.ts";
import { AddressCache, requireBytes } from "./socket/buffers.ts";
import type { Descriptor } from "./socket/descriptor.ts";
import type { Destination } from "./socket/destinations.ts";
import { outward } from "./socket/message.ts";
import { AGAIN, type Again, Operation } from "./socket/operation.ts";

/** Datagrams handed over by one call. */
const VECTOR = 64;

/** Datagrams up to this length are copied to memory whose address the kernel knows already: that is quicker than finding out another. */
const COPIED = 2048;

/** UDP_MAX_SEGMENTS of the kernels since 4.18. */
const MOST_SEGMENTS = 64;

/** Sends one datagram, to a destination or to the connected peer. */
export class SendingDatagram extends Operation<number> {
  readonly syscall = "sendmsg";
  readonly #descriptor: Descriptor;
  readonly #p: Uint8Array;
  readonly #to: Destination | null;
  readonly #control: Uint8Array | null;

  constructor(descriptor: Descriptor, p: Uint8Array, to: Destination | null, control: Uint8Array | null) {
    super();
    this.#control = control;
    this.#descriptor = descriptor;
    this.#p = p;
    this.#to = to;
  }

  override attempt(): number | Again {
    const message = outward();
    if (this.#control !== null) message.control.set(this.#control);
    const controlLength = this.#control?.length ?? 0;
    return message.send(this.#descriptor.fd, this.#p, this.#to?.sockaddr ?? null, controlLength, this.#to?.text);
  }
}

/** A datagram ready to be sent. */
export interface Outgoing {
  readonly data: Uint8Array;
  /** Null for the connected peer. */
  readonly to: Destination | null;
}

/** The memory that many datagrams are sent from. Calls are synchronous: one serves all sockets of a thread. */
class OutwardVector extends MessageVector {
  readonly #addresses = new AddressCache();
  /** What the kernel is given addresses of, until the call is over. */
  readonly #held: (Uint8Array | null)[] = new Array(VECTOR).fill(null);
  readonly #names: (Uint8Array | null | undefined)[] = new Array(VECTOR).fill(undefined);

  constructor() {
    super({ capacity: VECTOR, dataSize: COPIED, controlSize: 0 });
  }

  put(index: number, { data, to }: Outgoing): void {
    requireBytes(data);
    if (data.length <= COPIED) {
      this.data.set(data, index * COPIED);
      this.useOwnData(index, data.length);
    } else {
      this.#held[index] = data;
      this.useAddress(index, this.#addresses.of(data), data.length);
    }
    const sockaddr = to === null ? null : to.sockaddr;
    if (this.#names[index] === sockaddr) return;
    this.#names[index] = sockaddr;
    if (sockaddr !== null) this.headers.set(sockaddr, this.nameOffset(index));
    setNameLength(libc().system.layout, this.view, this.headerOffset(index), sockaddr?.length ?? 0);
  }

  release(count: number): void {
    for (let index = 0; index < count; index++) this.#held[index] = null;
  }
}

let outwardVector: OutwardVector | undefined;

/** Sends datagrams in order, as many at a time as the kernel takes. Resolves to how many there were. */
export class SendingMany extends Operation<number> {
  readonly syscall = "sendmmsg";
  readonly #descriptor: Descriptor;
  readonly #outgoing: readonly Outgoing[];
  /** A connected socket hears of the fate of earlier datagrams by a failing send, and sendmmsg(2) keeps such an error to itself when it has sent
   * something before. */
  readonly #connected: boolean;
  #sent = 0;

  constructor(descriptor: Descriptor, outgoing: readonly Outgoing[], connected: boolean) {
    super();
    this.#descriptor = descriptor;
    this.#outgoing = outgoing;
    this.#connected = connected;
  }

  override attempt(): number | Again {
    while (this.#sent < this.#outgoing.length) {
      try {
        const count = this.#connected || !hasVectoredCalls() ? this.#sendOne() : this.#sendVector();
        if (count === AGAIN) return AGAIN;
        this.#sent += count;
      } catch (error) {
        throw this.explain(error as Error);
      }
    }
    return this.#sent;
  }

  /** However it ends, the caller learns how many the kernel took. */
  override explain(error: Error): Error {
    return Object.assign(error, { sent: this.#sent });
  }

  #sendOne(): number | Again {
    const { data, to } = this.#outgoing[this.#sent]!;
    return outward().send(this.#descriptor.fd, data, to?.sockaddr ?? null, 0, to?.text) === AGAIN ? AGAIN : 1;
  }

  #sendVector(): number | Again {
    const { c, errno, system: { constants, errors } } = libc();
    const vector = outwardVector ??= new OutwardVector();
    const count = Math.min(VECTOR, this.#outgoing.length - this.#sent);
    for (let index = 0; index < count; index++) vector.put(index, this.#outgoing[this.#sent + index]!);
    for (;;) {
      const sent = c.sendmmsg!(this.#descriptor.fd, vector.pointer, count, constants.MSG_NOSIGNAL);
      const code = sent === -1 ? errno() : 0;
      if (code === errors.EINTR) continue;
      vector.release(count);
      if (sent !== -1) return sent;
      if (code === errors.EAGAIN) return AGAIN;
      throw systemError(code, "sendmmsg", this.#outgoing[this.#sent]!.to?.text);
    }
  }
}

/** A socket's experience with UDP_SEGMENT: once a device has refused it, it is not tried again. */
export interface SegmentOffload {
  refused: boolean;
}

/** Sends one buffer as datagrams of equal size, the last perhaps shorter. Resolves to the bytes handed over. */
export class SendingSegments extends Operation<number> {
  readonly syscall = "sendmsg";
  readonly #descriptor: Descriptor;
  readonly #p: Uint8Array;
  readonly #length: number;
  readonly #segmentSize: number;
  readonly #to: Destination | null;
  readonly #offload: SegmentOffload;
  readonly #control: Uint8Array<ArrayBuffer> | null;
  /** Bytes of one call. */
  readonly #portion: number;
  #written = 0;

  constructor(
    descriptor: Descriptor,
    p: Uint8Array,
    segmentSize: number,
    to: Destination | null,
    offload: SegmentOffload,
  ) {
    super();
    this.#descriptor = descriptor;
    this.#p = p;
    this.#length = p.length;
    this.#segmentSize = segmentSize;
    this.#to = to;
    this.#offload = offload;
    this.#portion = Math.min(MOST_SEGMENTS, Math.floor(LONGEST_DATAGRAM / segmentSize)) * segmentSize;
    this.#control = segmentControl(segmentSize);
  }

  override attempt(): number | Again {
    while (this.#written < this.#length) {
      try {
        const written = this.#sendPortion();
        if (written === AGAIN) return AGAIN;
        this.#written += written;
      } catch (error) {
        throw this.explain(error as Error);
      }
    }
    return this.#length;
  }

  /** However it ends, the caller learns how much the kernel took. */
  override explain(error: Error): Error {
    return Object.assign(error, { bytesWritten: this.#written });
  }

  #sendPortion(): number | Again {
    const plain = this.#control === null || this.#offload.refused || !hasVectoredCalls();
    const rest = this.#p.subarray(this.#written, this.#written + (plain ? this.#segmentSize : this.#portion));
    if (plain || rest.length <= this.#segmentSize) return this.#send(rest, 0);
    outward().control.set(this.#control!);
    try {
      return this.#send(rest, this.#control!.length);
    } catch (error) {
      if (!isSocketError(error) || !["EIO", "EINVAL", "EMSGSIZE"].includes(error.code)) throw error;
      // A device without checksum offload, or segments longer than its packets: plain datagrams pass, in fragments if need be.
      this.#offload.refused = true;
      return this.#sendPortion();
    }
  }

  #send(data: Uint8Array, controlLength: number): number | Again {
    return outward().send(this.#descriptor.fd, data, this.#to?.sockaddr ?? null, controlLength, this.#to?.text);
  }
}

/** UDP_SEGMENT's control message, null where there is no such thing. */
function segmentControl(segmentSize: number): Uint8Array<ArrayBuffer> | null {
  const { options, layout } = libc().system;
  const option = options.UDP_SEGMENT;
  if (option === null) return null;
  const control = new Uint8Array(controlSpace(layout, 2));
  const size = Uint8Array.of(segmentSize & 0xff, segmentSize >> 8);
  writeControlMessage(layout, control, 0, option.level, option.name, size);
  return control;
}

/** Checks a datagram that is to be sent. */
export function requireDatagram(data: unknown): Uint8Array {
  requireBytes(data);
  const bytes = data as Uint8Array;
  if (bytes.length > LONGEST_DATAGRAM) throw tooLong(bytes.length);
  return bytes;
}
