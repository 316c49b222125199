import { libc } from "../libc/libc.ts";
import type { SocketError } from "../libc/socket_error.ts";
import type { Descriptor } from "../io/descriptor.ts";
import { ReceivingMessage } from "../io/message.ts";
import { AGAIN, type Again, Operation } from "../io/operation.ts";
import type { OperationQueue } from "../io/operation_queue.ts";
import { decodeExtendedError, EXTENDED_ERROR_SIZE, type ExtendedError } from "../struct/sock_extended_err.ts";
import { ORIGIN_LOCAL, ORIGIN_TIMESTAMPING, SCM_TIMESTAMPING_SIZE } from "../struct/sock_extended_err.ts";
import { SOCKADDR_STORAGE_SIZE } from "../struct/sockaddr.ts";
import { decodeTimespec } from "../struct/timeval.ts";
import type { WaitOptions } from "../validate/options.ts";
import { type DatagramError, datagramError } from "./datagram_error.ts";

/** When a datagram left, by its number: {@linkcode UdpSocket.receiveSentTimestamp}.
 *
 * @example
 * ```ts
 * import { listenDatagram, type SentTimestamp } from "@berkeley/sockets";
 *
 * if (Deno.build.os === "linux") {
 *   using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1", timestamps: { transmit: true } });
 *   await udp.send(new Uint8Array(1), udp.addr);
 *   const sent: SentTimestamp = await udp.receiveSentTimestamp();
 *   console.log(sent.id, Math.abs(sent.timestamp - Date.now()) < 1_000); // 0 true
 * }
 * ```
 */
export interface SentTimestamp {
  /** The number of the datagram in the order of the sends, from 0; segments of one system call have one number. */
  id: number;
  /** When it left, in milliseconds since the epoch, with a fraction. */
  timestamp: number;
}

/** Reports that are kept for whoever asks. The oldest are dropped for new ones. */
const MOST_KEPT = 1024;

/** Reports taken at a time: more than a receive buffer of the default size holds. */
const MOST_TAKEN = 4096;

/** Room for the payload that comes back, and for its control messages. */
const PAYLOAD = 2048;
const CONTROL = 512;

/** Where reports are received, for all sockets of a thread. Neither is ever handed out. */
class ReportBuffer {
  readonly message: ReceivingMessage = new ReceivingMessage(CONTROL);
  readonly payload: Uint8Array<ArrayBuffer> = new Uint8Array(PAYLOAD);
}

let buffer: ReportBuffer | undefined;

function keep<T>(list: T[], item: T): void {
  if (list.length === MOST_KEPT) list.shift();
  list.push(item);
}

/** Takes the next of what is kept, or waits for it. */
class Taking<T> extends Operation<T> {
  readonly syscall = "recvmsg";
  readonly #list: T[];
  readonly #collect: () => void;

  constructor(list: T[], collect: () => void) {
    super();
    this.#list = list;
    this.#collect = collect;
  }

  override attempt(): T | Again {
    if (this.#list.length === 0) this.#collect();
    return this.#list.shift() ?? AGAIN;
  }
}

/** What the kernel reports of the datagrams of one socket: errors and timestamps, which share one queue there and are told
 * apart here. Receives and sends take reports too, so that neither fails with an error of an earlier datagram, and so
 * that a queue which is not read stays empty. */
export class ErrorQueue {
  readonly #descriptor: Descriptor;
  /** Whether errors of earlier datagrams are kept, so that no call has to fail with them. */
  keepsErrors = false;
  readonly #errors: DatagramError[] = [];
  readonly #sent: SentTimestamp[] = [];
  #errorWaits: OperationQueue | null = null;
  #sentWaits: OperationQueue | null = null;
  /** The report, in the last collection, of a datagram that the system itself found too long. */
  #tooLong: DatagramError | null = null;

  constructor(descriptor: Descriptor) {
    this.#descriptor = descriptor;
  }

  receiveError(options: WaitOptions | undefined): Promise<DatagramError> {
    this.#errorWaits ??= this.#descriptor.addReports();
    return this.#errorWaits.run(new Taking(this.#errors, this.#collect), options);
  }

  receiveSentTimestamp(options: WaitOptions | undefined): Promise<SentTimestamp> {
    this.#sentWaits ??= this.#descriptor.addReports();
    return this.#sentWaits.run(new Taking(this.#sent, this.#collect), options);
  }

  /** Takes what there is, and serves what waits for it. Returns whether a call that failed with this error is to be made
   * again: any may be that of an earlier datagram, except where the datagram itself is too long, whose error then has the
   * MTU. */
  readonly take = (error: SocketError | null): boolean => {
    this.#tooLong = null;
    this.#collect();
    if (this.#errors.length > 0) this.#errorWaits?.ready(false);
    if (this.#sent.length > 0) this.#sentWaits?.ready(false);
    if (!this.keepsErrors) return false;
    if (this.#tooLong === null || error?.code !== "EMSGSIZE") return true;
    const { mtu } = this.#tooLong as DatagramError;
    if (mtu !== undefined) Object.assign(error, { mtu });
    return false;
  };

  /** Takes what there is. */
  readonly #collect = (): void => {
    const { MSG_ERRQUEUE } = libc().system.constants;
    const { message, payload } = buffer ??= new ReportBuffer();
    const { fd } = this.#descriptor;
    for (let taken = 0; taken < MOST_TAKEN; taken++) {
      const length = message.receive(fd, payload, MSG_ERRQUEUE, SOCKADDR_STORAGE_SIZE, CONTROL);
      if (length === AGAIN) return;
      this.#read(message, payload.subarray(0, length));
    }
  };

  #read(message: ReceivingMessage, payload: Uint8Array<ArrayBuffer>): void {
    const { constants, options } = libc().system;
    const { cursor } = message;
    let report: ExtendedError | undefined;
    let bytes: Uint8Array = payload;
    let timestamp: number | undefined;
    cursor.begin(0, message.controlLength);
    while (cursor.next()) {
      const { level, type, start, end, view } = cursor;
      const isReport = [options.IP_RECVERR, options.IPV6_RECVERR].some((option) =>
        option?.level === level && option.name === type
      );
      if (isReport && end - start >= EXTENDED_ERROR_SIZE) {
        report = decodeExtendedError(view, start);
        bytes = cursor.data;
      } else if (level === constants.SOL_SOCKET && type === constants.SCM_TIMESTAMPING) {
        if (end - start >= SCM_TIMESTAMPING_SIZE) timestamp = decodeTimespec(cursor.data);
      }
    }
    if (report === undefined) return;
    if (report.origin === ORIGIN_TIMESTAMPING) {
      if (timestamp !== undefined) keep(this.#sent, { id: report.data, timestamp });
      return;
    }
    const error = datagramError(report, bytes, message.name, payload.slice());
    if (error === null) return;
    if (report.origin === ORIGIN_LOCAL && error.code === "EMSGSIZE") this.#tooLong = error;
    keep(this.#errors, error);
  }
}
