import { libc } from "../libc/libc.ts";
import { unwrap } from "../libc/socket_error.ts";
import { decodeCredentials } from "../struct/ucred.ts";
import type { Descriptor } from "../io/descriptor.ts";
import { own, type OwnedFd } from "../io/owned_fd.ts";
import { readOption } from "../option/option.ts";
import { copyOptions, optionsShape } from "../validate/options.ts";

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
  /** With `{ groups: true }`: the supplementary groups, SO_PEERGROUPS. */
  groups?: number[] | undefined;
  /** With `{ pidfd: true }`: a descriptor of the process itself, which unlike its number is never used again for another
   * process: SO_PEERPIDFD. It becomes readable when the process ends. Close it after use. */
  pidfd?: OwnedFd | undefined;
}

/** What to ask for beside the numbers: {@linkcode DescriptorPassing.peerCredentials}.
 *
 * @example
 * ```ts
 * import { type PeerCredentialsOptions, socketPair } from "@berkeley/sockets";
 *
 * const [one, two] = socketPair("stream");
 * const options: PeerCredentialsOptions = { groups: Deno.build.os === "linux" };
 * console.log(Array.isArray(one.peerCredentials(options).groups)); // true on Linux
 * one.close();
 * two.close();
 * ```
 */
export interface PeerCredentialsOptions {
  /** Ask for the supplementary groups. Default false. */
  groups?: boolean;
  /** Ask for a descriptor of the process. Default false. */
  pidfd?: boolean;
}

const OPTIONS = optionsShape<PeerCredentialsOptions>("peerCredentials", "{ groups, pidfd }", {
  groups: "boolean",
  pidfd: "boolean",
});

/** Returns the credentials of the peer at the time of the connection, with what the options ask for. */
export function credentialsOf(descriptor: Descriptor, given: PeerCredentialsOptions | undefined): PeerCredentials {
  const { groups = false, pidfd = false } = given === undefined ? {} : copyOptions(given, OPTIONS);
  const credentials = peerCredentials(descriptor);
  if (groups) credentials.groups = peerGroups(descriptor.fd);
  // Last, so that no descriptor is open when something else fails.
  if (pidfd) credentials.pidfd = peerPidfd(descriptor.fd);
  return credentials;
}

/** The number of an option of Linux; throws Deno.errors.NotSupported elsewhere. */
function requireOption(name: "SO_PEERGROUPS" | "SO_PEERPIDFD"): number {
  const { constants, name: system } = libc().system;
  if (constants[name] !== 0) return constants[name];
  throw new Deno.errors.NotSupported(`${system} has no option ${name}`);
}

/** NGROUPS_MAX of Linux. */
const MOST_GROUPS = 65_536;

function peerGroups(fd: number): number[] {
  const name = requireOption("SO_PEERGROUPS");
  const { SOL_SOCKET } = libc().system.constants;
  const value = readOption(fd, SOL_SOCKET, name, MOST_GROUPS * 4, "SO_PEERGROUPS");
  return [...new Uint32Array(value.buffer, 0, value.length / 4)];
}

function peerPidfd(fd: number): OwnedFd {
  const name = requireOption("SO_PEERPIDFD");
  const value = readOption(fd, libc().system.constants.SOL_SOCKET, name, 4, "SO_PEERPIDFD");
  return own([new DataView(value.buffer).getInt32(0, true)], 1)[0]!;
}

/** Returns the credentials of the peer at the time of the connection: SO_PEERCRED on Linux; getpeereid(3) elsewhere, and
 * LOCAL_PEERPID on macOS. */
function peerCredentials({ fd }: Descriptor): PeerCredentials {
  const { c, system: { constants, layout } } = libc();
  if (layout.ucred !== null) {
    const value = readOption(fd, constants.SOL_SOCKET, constants.SO_PEERCRED, layout.ucred.size, "SO_PEERCRED");
    return decodeCredentials(layout, value);
  }
  const uid = new Uint32Array(1);
  const gid = new Uint32Array(1);
  unwrap(c.getpeereid!(fd, uid, gid), "getpeereid");
  return { pid: constants.LOCAL_PEERPID === 0 ? null : peerPid(fd), uid: uid[0]!, gid: gid[0]! };
}

/** LOCAL_PEERPID of macOS: null once the peer has closed its end, since it is then not connected. */
function peerPid(fd: number): number | null {
  const { SOL_LOCAL, LOCAL_PEERPID } = libc().system.constants;
  try {
    return new DataView(readOption(fd, SOL_LOCAL, LOCAL_PEERPID, 4, "LOCAL_PEERPID").buffer).getInt32(0, true);
  } catch (error) {
    if (error instanceof Deno.errors.NotConnected) return null;
    throw error;
  }
}
