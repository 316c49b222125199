import { libc } from "../libc/libc.ts";
import { unwrap } from "../libc/socket_error.ts";
import { decodeCredentials } from "../struct/ucred.ts";
import type { Descriptor } from "../io/descriptor.ts";
import { readOption } from "../option/option.ts";

/** Who is at the other end: {@linkcode DescriptorPassing.peerCredentials}, and {@linkcode UnixMessage} where it was
 * asked for.
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
  /** The number of the process; null where the system does not say. */
  pid: number | null;
  /** The number of the user it acted as. */
  uid: number;
  /** The number of the group it acted as. */
  gid: number;
}

/** Credentials of the peer as they were when the connection was made: SO_PEERCRED on Linux; getpeereid(3) elsewhere,
 * and LOCAL_PEERPID on macOS. */
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
