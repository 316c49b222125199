import { type AnySocket, fromFd } from "./from_fd.ts";
import { libc } from "./libc/libc.ts";
import { fcntl, isSocket } from "./io/descriptor.ts";

/** The first descriptor a supervisor hands over: SD_LISTEN_FDS_START. */
const FIRST = 3;

/** A socket that this process was started with.
 *
 * @example
 * ```ts
 * import { type ActivatedSocket, activatedSockets } from "@berkeley/sockets";
 *
 * const sockets: ActivatedSocket[] = activatedSockets();
 * const web = sockets.find(({ name }) => name === "web");
 * console.log(web?.socket); // undefined, but where a supervisor gave one of that name
 * ```
 */
export interface ActivatedSocket {
  /** From LISTEN_FDNAMES, else "unknown", as sd_listen_fds_with_names(3) says. */
  name: string;
  /** The object it really is. */
  socket: AnySocket;
}

/** The sockets that systemd or another supervisor handed to this process, by LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES
 * as sd_listen_fds_with_names(3) says; empty where there are none. They are taken once: the variables are removed, so
 * that a child does not take them for its own, and a second call gives none. Descriptors that are no sockets stay open
 * and are left out. All of them are close-on-exec from then on.
 *
 * Needs `--allow-env=LISTEN_FDS,LISTEN_PID,LISTEN_FDNAMES`.
 *
 * @throws {TypeError} for variables that make no sense, quoting them, and for a socket of a kind that has no class
 * here; nothing is taken
 * @throws {Deno.errors.BadResource} for a descriptor that is not open; nothing is taken
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

/** Takes over the sockets among so many descriptors, each with its place, or none of them when one cannot be. */
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
