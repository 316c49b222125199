import { libc } from "../libc/libc.ts";
import { unwrap } from "../libc/socket_error.ts";
import { decodeCredentials } from "../struct/ucred.ts";
import type { Descriptor } from "../io/descriptor.ts";
import { readOption } from "../option/option.ts";

/** The credentials of a peer: the result of {@linkcode DescriptorPassing.peerCredentials}, and a member of
 * {@linkcode UnixMessage} on request.
 *
 * @example
 * ```ts
 * import { type PeerCredentials, socketPair } from "@berkeley/sockets";
 *
 * const [one, two] = socketPair("stream");
 * const peer: PeerCredentials = one.peerCredentials();
 * console.log(peer.uid === Deno.uid()); // true
 * one.close();
 * two.close();
 * ```
 */
export interface PeerCredentials {
  /** Process number; null on a system that does not report it. */
  pid: number | null;
  /** Effective user number. */
  uid: number;
  /** Effective group number. */
  gid: number;
}

/** Returns the credentials of the peer at the time of the connection: SO_PEERCRED on Linux; getpeereid(3) elsewhere, and
 * LOCAL_PEERPID on macOS. */
export function peerCredentials({ fd }: Descriptor): PeerCredentials {
  const { c, system: { constants, layout } } = libc();
  if (layout.ucred !== null) {
    const value = readOption(fd, constants.SOL_SOCKET, constants.SO_PEERCRED, layout.ucred.size, "SO_PEERCRED");
    return decodeCredentials(layout, value);
  }
  const uid = new Uint32Array(1);
  const gid = new Uint32Array(1);
  unwrap(c.getpeereid!(fd, uid, gid), "getpeereid");
  let pid: number | null = null;
  if (constants.LOCAL_PEERPID !== 0) {
    const value = readOption(fd, constants.SOL_LOCAL, constants.LOCAL_PEERPID, 4, "LOCAL_PEERPID");
    pid = new DataView(value.buffer).getInt32(0, true);
  }
  return { pid, uid: uid[0]!, gid: gid[0]! };
}
