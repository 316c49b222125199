import { type AnySocket, fromFd } from "./from_fd.ts";
import { isSocket } from "./socket/descriptor.ts";

/** The first descriptor a supervisor hands over: SD_LISTEN_FDS_START. */
const FIRST = 3;

/** A socket that this process was started with. */
export interface ActivatedSocket {
  /** From LISTEN_FDNAMES, else "unknown", as sd_listen_fds_with_names(3) says. */
  name: string;
  /** The object it really is. */
  socket: AnySocket;
}

/** The sockets that systemd or another supervisor handed to this process, by LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES as
 * sd_listen_fds_with_names(3) says; empty where there are none. They are taken once: the variables are removed, so that a child does not
 * take them for its own, and a second call gives none. Descriptors that are no sockets stay open and are left out.
 *
 * Needs `--allow-env=LISTEN_FDS,LISTEN_PID,LISTEN_FDNAMES`.
 *
 * @throws {TypeError} for variables that make no sense, quoting them
 *
 * @example
 * ```ts
 * import { activatedSockets } from "@berkeley/sockets";
 *
 * for (const { name, socket } of activatedSockets()) console.log(name, socket.socket.fd);
 * ```
 */
export function activatedSockets(): ActivatedSocket[] {
  const count = wholeNumber("LISTEN_FDS");
  const pid = wholeNumber("LISTEN_PID");
  if (count === null || pid !== Deno.pid) return [];
  const names = Deno.env.get("LISTEN_FDNAMES");
  const list = names === undefined ? [] : names.split(":");
  if (names !== undefined && list.length !== count) {
    throw new TypeError(`LISTEN_FDNAMES ${JSON.stringify(names)} has ${list.length} names for ${count} descriptors`);
  }
  for (const variable of ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"]) Deno.env.delete(variable);
  const sockets: ActivatedSocket[] = [];
  for (let index = 0; index < count; index++) {
    if (!isSocket(FIRST + index)) continue;
    sockets.push({ name: list[index] || "unknown", socket: fromFd(FIRST + index) });
  }
  return sockets;
}

function wholeNumber(variable: string): number | null {
  const text = Deno.env.get(variable);
  if (text === undefined || text === "") return null;
  if (/^\d+$/.test(text)) return Number(text);
  throw new TypeError(`Invalid ${variable}: ${JSON.stringify(text)}, expected a whole number`);
}
