import { type AnySocket, fromFd } from "./from_fd.ts";
import { libc } from "./libc/libc.ts";
import { fcntl, isSocket } from "./io/descriptor.ts";

/** The first descriptor that a supervisor passes: SD_LISTEN_FDS_START. */
const FIRST = 3;

/** A socket passed to this process by a supervisor.
 *
 * @example
 * ```ts
 * import { type ActivatedSocket, activatedSockets } from "@berkeley/sockets";
 *
 * const sockets: ActivatedSocket[] = activatedSockets();
 * const web = sockets.find(({ name }) => name === "web");
 * console.log(web?.socket); // undefined unless a supervisor passed a socket of that name
 * ```
 */
export interface ActivatedSocket {
  /** The name from LISTEN_FDNAMES, or "unknown" without one, as in sd_listen_fds_with_names(3). */
  name: string;
  /** The socket, as an object of its own class. */
  socket: AnySocket;
}

/** Returns the sockets that systemd or another supervisor passed to this process with LISTEN_FDS, LISTEN_PID and
 * LISTEN_FDNAMES, as sd_listen_fds_with_names(3) describes. It needs
 * `--allow-env=LISTEN_FDS,LISTEN_PID,LISTEN_FDNAMES` and does not block the event loop.
 *
 * The environment variables are removed, so that child processes do not use them; a second call returns an empty array.
 * Descriptors that are not sockets stay open and are left out. All descriptors are made close-on-exec.
 *
 * @returns the sockets in the order of their descriptors; empty if none were passed to this process
 * @throws {TypeError} for invalid variables, or a socket of a kind that has no class; nothing is taken over
 * @throws {Deno.errors.BadResource} for a descriptor that is not open; nothing is taken over
 *
 * @example
 * ```ts
 * import { activatedSockets } from "@berkeley/sockets";
 *
 * for (const { name, socket } of activatedSockets()) console.log(name, socket.socket.fd);
 * ```
 */
export function activatedSockets(): ActivatedSocket[] {
  if (wholeNumber("LISTEN_PID") !== Deno.pid) return [];
  const count = wholeNumber("LISTEN_FDS");
  if (count === null) return [];
  const names = Deno.env.get("LISTEN_FDNAMES");
  const list = names === undefined ? [] : names.split(":");
  if (names !== undefined && list.length !== count) {
    throw new TypeError(`LISTEN_FDNAMES ${JSON.stringify(names)} has ${list.length} names for ${count} descriptors`);
  }
  const sockets = takeSockets(count).map(([index, socket]) => ({ name: list[index] || "unknown", socket }));
  for (const variable of ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"]) Deno.env.delete(variable);
  return sockets;
}

/** Takes over the sockets among `count` descriptors, each with its index, or none of them if one fails. */
function takeSockets(count: number): [index: number, socket: AnySocket][] {
  const { FD_CLOEXEC, F_SETFD } = libc().system.constants;
  const taken: [index: number, socket: AnySocket][] = [];
  try {
    for (let index = 0; index < count; index++) {
      if (isSocket(FIRST + index)) taken.push([index, fromFd(FIRST + index)]);
      else fcntl(FIRST + index, F_SETFD, FD_CLOEXEC);
    }
  } catch (error) {
    for (const [, socket] of taken) socket.detach();
    throw error;
  }
  return taken;
}

function wholeNumber(variable: string): number | null {
  const text = Deno.env.get(variable);
  if (text === undefined || text === "") return null;
  if (/^\d+$/.test(text)) return Number(text);
  throw new TypeError(`Invalid ${variable}: ${JSON.stringify(text)}, expected a whole number`);
}
