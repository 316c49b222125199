import { libc } from "../libc/libc.ts";
import { isSocketError } from "../libc/socket_error.ts";
import { controlSpace, writeControlMessage } from "../struct/cmsg.ts";
import { hasVectoredCalls } from "./mmsg.ts";
import { lengthOf, refusedBytes, viewOf } from "../validate/bytes.ts";
import type { Descriptor } from "../io/descriptor.ts";
import type { Destination } from "./destinations.ts";
import { LONGEST_PAYLOAD } from "./families.ts";
import { type SendControl, sendControlled, sendOne } from "./send.ts";
import { retryNextTurn } from "../io/backoff.ts";
import { sendingMessage } from "../io/message.ts";
import { AGAIN, type Again, Operation, type RetryLater } from "../io/operation.ts";

/** Maximum number of segments in one call: UDP_MAX_SEGMENTS of Linux since 4.18. */
const MOST_SEGMENTS = 64;

/** Calls made in one turn of the event loop, so that timers and other sockets have theirs: 1 MiB where the kernel cuts it
 * into segments. */
const MOST_CALLS = 16;

/** Whether UDP_SEGMENT works on a socket: segments of this size in bytes, and longer ones, were refused and are not tried
 * again. */
export interface SegmentOffload {
  refusedFrom: number;
}

/** Sends one buffer as datagrams of equal size; the last one can be shorter. Resolves to the number of bytes sent. */
export class SendingSegments extends Operation<number> {
  readonly syscall = "sendmsg";
  readonly #descriptor: Descriptor;
  readonly #p: Uint8Array;
  readonly #length: number;
  readonly #segmentSize: number;
  readonly #to: Destination | null;
  readonly #offload: SegmentOffload;
  /** The control messages of a call of one segment, and of more. */
  readonly #single: SendControl | null;
  readonly #several: Uint8Array<ArrayBuffer>;
  /** Maximum number of bytes in one call. */
  readonly #portion: number;
  #written = 0;

  constructor(
    descriptor: Descriptor,
    p: Uint8Array,
    segmentSize: number,
    to: Destination | null,
    offload: SegmentOffload,
    control: SendControl | null,
  ) {
    super();
    this.#descriptor = descriptor;
    this.#p = p;
    this.#length = lengthOf(p);
    this.#segmentSize = segmentSize;
    this.#to = to;
    this.#offload = offload;
    const fitting = Math.max(1, Math.floor(LONGEST_PAYLOAD.inet / segmentSize));
    this.#portion = Math.min(MOST_SEGMENTS, fitting) * segmentSize;
    this.#single = control;
    this.#several = segmentControl(segmentSize, control);
  }

  override get address(): string | undefined {
    return this.#to?.text;
  }

  override attempt(): number | Again | RetryLater {
    for (let calls = 0; this.#written < this.#length; calls++) {
      // The kernel may take all there is: the next turn of the event loop goes on, after what waits for this one.
      if (calls === MOST_CALLS) return retryNextTurn(this.#descriptor);
      try {
        if (lengthOf(this.#p) < this.#length) throw gone(this.#p, this.#length);
        const written = this.#sendPortion();
        if (written === AGAIN) return AGAIN;
        if (written === 0) throw new Error("sendmsg: the system sent 0 bytes without an error");
        this.#written += written;
      } catch (error) {
        throw this.explain(error as Error);
      }
    }
    return this.#length;
  }

  /** Adds the number of bytes sent to the error. */
  override explain(error: Error): Error {
    return Object.assign(error, { bytesWritten: this.#written });
  }

  #sendPortion(): number | Again {
    const plain = this.#segmentSize >= this.#offload.refusedFrom || !hasSegmentation(this.#descriptor.fd);
    const end = Math.min(this.#length, this.#written + (plain ? this.#segmentSize : this.#portion));
    const rest = viewOf(this.#p, this.#written, end);
    if (plain || rest.length <= this.#segmentSize) return this.#sendSingle(rest);
    sendingMessage().control.set(this.#several);
    try {
      return sendOne(this.#descriptor, rest, this.#to, this.#several.length, this.#single?.source ?? null);
    } catch (error) {
      if (!isSocketError(error) || !["EIO", "EINVAL", "EMSGSIZE"].includes(error.code)) throw error;
      // The device has no checksum offload, or the segments are longer than its MTU. Plain datagrams then succeed, if
      // necessary in fragments; otherwise there is another cause, and this throws.
      const written = this.#sendSingle(rest.subarray(0, this.#segmentSize));
      if (written !== AGAIN) this.#offload.refusedFrom = error.code === "EIO" ? 0 : this.#segmentSize;
      return written;
    }
  }

  #sendSingle(data: Uint8Array): number | Again {
    return sendControlled(this.#descriptor, data, this.#to, this.#single);
  }
}

/** Makes the error for a buffer that was transferred or resized while the operation waited. */
function gone(p: Uint8Array, length: number): TypeError {
  return refusedBytes(p) ??
    new TypeError(`The buffer shrank from ${length} bytes to ${lengthOf(p)} while it waited to be sent`);
}

let segmentation: boolean | undefined;

/** Whether the kernel cuts what is sent into segments. One that does not know UDP_SEGMENT, Linux before 4.18, passes over
 * the control message and would send them all as one datagram. */
function hasSegmentation(fd: number): boolean {
  if (segmentation !== undefined) return segmentation;
  const { c, system: { options: { UDP_SEGMENT: option } } } = libc();
  if (option === null || !hasVectoredCalls()) return segmentation = false;
  const size = new Int32Array(1);
  return segmentation = c.getsockopt(fd, option.level, option.name, size, Uint32Array.of(4)) !== -1;
}

/** Encodes the control message of UDP_SEGMENT behind those of a source; nothing on systems without it. */
function segmentControl(segmentSize: number, control: SendControl | null): Uint8Array<ArrayBuffer> {
  const { options, layout } = libc().system;
  const option = options.UDP_SEGMENT;
  if (option === null) return new Uint8Array(0);
  const before = control?.bytes.length ?? 0;
  const bytes = new Uint8Array(before + controlSpace(layout, 2));
  if (control !== null) bytes.set(control.bytes);
  const size = Uint8Array.of(segmentSize & 0xff, segmentSize >> 8);
  writeControlMessage(layout, bytes, before, option.level, option.name, size);
  return bytes;
}
