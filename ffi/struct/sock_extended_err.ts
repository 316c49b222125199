/** struct sock_extended_err and struct scm_timestamping of <linux/errqueue.h>: ip(7), IP_RECVERR, and the kernel's
 * documentation of timestamping. */

/** What the kernel reports of a packet that was sent. */
export interface ExtendedError {
  readonly errno: number;
  /** Who reports it: one of the SO_EE_ORIGIN numbers. */
  readonly origin: number;
  /** ICMP type and code. */
  readonly type: number;
  readonly code: number;
  /** The MTU, with EMSGSIZE; the kind of a timestamp. */
  readonly info: number;
  /** The number of the datagram that a timestamp is of. */
  readonly data: number;
}

/** sizeof(struct sock_extended_err), and the offset of the offender's sockaddr behind it. */
export const EXTENDED_ERROR_SIZE = 16;

/** sizeof(struct scm_timestamping): three struct timespec, of which the first is the software timestamp. */
export const SCM_TIMESTAMPING_SIZE = 48;

/** SO_EE_ORIGIN_LOCAL, _ICMP, _ICMP6 and _TIMESTAMPING. */
export const ORIGIN_LOCAL = 1;
export const ORIGIN_ICMP = 2;
export const ORIGIN_ICMP6 = 3;
export const ORIGIN_TIMESTAMPING = 4;

/** Decodes the structure at `offset`. */
export function decodeExtendedError(view: DataView, offset: number): ExtendedError {
  return {
    errno: view.getUint32(offset, true),
    origin: view.getUint8(offset + 4),
    type: view.getUint8(offset + 5),
    code: view.getUint8(offset + 6),
    info: view.getUint32(offset + 8, true),
    data: view.getUint32(offset + 12, true),
  };
}
