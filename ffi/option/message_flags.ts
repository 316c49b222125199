import { thisSystem } from "../libc/host.ts";
import type { Constants } from "../libc/system.ts";

type MessageFlag = keyof Constants & `MSG_${string}`;

/** The number of a flag; undefined where the running system lacks it. */
function flag(name: MessageFlag): number | undefined {
  return thisSystem().constants[name] || undefined;
}

/** The flags of messages by their names in the system's headers, for `Socket.receive` and `Socket.send`: recv(2),
 * send(2). One that the running system lacks is undefined.
 *
 * @example
 * ```ts
 * import { listenDatagram, msg } from "@berkeley/sockets";
 *
 * using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
 * await udp.send(new Uint8Array(8), udp.addr);
 * const { length, flags } = await udp.socket.receive(new Uint8Array(3));
 * console.log(length, (flags & msg.MSG_TRUNC) !== 0); // 3 true
 * ```
 */
export const msg: {
  /** Receives without taking: the next receive gets the same bytes. */
  readonly MSG_PEEK: number;
  /** Sends or receives urgent data of a stream. */
  readonly MSG_OOB: number;
  /** Waits until the whole buffer is full. On the non-blocking sockets of this module a receive may return less. */
  readonly MSG_WAITALL: number;
  /** Given: return the whole length of a datagram (Linux). Returned: the datagram was longer than the buffer. */
  readonly MSG_TRUNC: number;
  /** Returned: control messages did not fit. */
  readonly MSG_CTRUNC: number;
  /** Sends to directly connected hosts only, not through a router. */
  readonly MSG_DONTROUTE: number;
  /** Ends a record, for socket types that have records. */
  readonly MSG_EOR: number;
  /** More data follows at once: the kernel may wait for it. Linux. */
  readonly MSG_MORE?: number | undefined;
  /** Receives from the queue of errors, see IP_RECVERR in ip(7). Linux. */
  readonly MSG_ERRQUEUE?: number | undefined;
  /** Tells the link layer that the neighbour is reachable. Linux. */
  readonly MSG_CONFIRM?: number | undefined;
} = {
  get MSG_PEEK(): number {
    return thisSystem().constants.MSG_PEEK;
  },
  get MSG_OOB(): number {
    return thisSystem().constants.MSG_OOB;
  },
  get MSG_WAITALL(): number {
    return thisSystem().constants.MSG_WAITALL;
  },
  get MSG_TRUNC(): number {
    return thisSystem().constants.MSG_TRUNC;
  },
  get MSG_CTRUNC(): number {
    return thisSystem().constants.MSG_CTRUNC;
  },
  get MSG_DONTROUTE(): number {
    return thisSystem().constants.MSG_DONTROUTE;
  },
  get MSG_EOR(): number {
    return thisSystem().constants.MSG_EOR;
  },
  get MSG_MORE(): number | undefined {
    return flag("MSG_MORE");
  },
  get MSG_ERRQUEUE(): number | undefined {
    return flag("MSG_ERRQUEUE");
  },
  get MSG_CONFIRM(): number | undefined {
    return flag("MSG_CONFIRM");
  },
};
