import { thisSystem } from "../libc/host.ts";
import { libc } from "../libc/libc.ts";
import { closeUnless, openDescriptor } from "../io/descriptor.ts";
import { copyOptions, optionsShape } from "../validate/options.ts";
import { type Control, socketOf } from "../socket/socket.ts";
import { type UnixDatagram, unixDatagram } from "./datagram.ts";
import { bindPath, keepPath, requireBindable, requirePath, type UnixPathOptions } from "./path.ts";
import { makeReceiveRoom } from "./receive_room.ts";

/** Options of {@linkcode listenDatagram} for Unix datagram sockets.
 *
 * @example
 * ```ts
 * import { listenDatagram, type UnixDatagramOptions } from "@berkeley/sockets";
 *
 * const path = `/tmp/berkeley-${Deno.pid}.sock`;
 * const options: UnixDatagramOptions = { transport: "unixgram", path, mode: 0o600 };
 * using sink = listenDatagram(options);
 * console.log(sink.addr.path === path); // true
 * ```
 */
export interface UnixDatagramOptions extends UnixPathOptions {
  /** "unixpacket", as Deno calls SOCK_DGRAM, or "unixgram", as Go does. */
  transport: "unixpacket" | "unixgram";
  /** Path of at most 107 bytes (103 on BSD and macOS), or "\0name" for an abstract name on Linux. If left out, the socket
   * is unbound and `addr.path` is null; with "", the system chooses an abstract name (Linux). */
  path?: string;
  /** Function that is called with the new socket before bind. */
  control?: Control;
}

const OPTIONS = optionsShape<UnixDatagramOptions>("Unix datagram sockets", '{ transport: "unixgram", path }', {
  transport: "any",
  path: "any",
  mode: "any",
  replaceStale: "boolean",
  unlinkOnClose: "boolean",
  control: "function",
});

/** Opens a Unix datagram socket. If a step fails, the socket is closed and its path removed. */
export function listenUnixDatagram(given: UnixDatagramOptions): UnixDatagram {
  const options = copyOptions(given, OPTIONS);
  const { path } = options;
  if (path !== undefined && typeof path !== "string") requirePath(path);
  const { abstractUnixNames, name } = thisSystem();
  if (path === "" && !abstractUnixNames) {
    throw new Deno.errors.NotSupported(`path: "": ${name} has no abstract names to choose from; pass a path`);
  }
  const bindable = path === undefined ? null : requireBindable(path, options);
  const { constants } = libc().system;
  const descriptor = openDescriptor(constants.AF_UNIX, constants.SOCK_DGRAM, 0);
  return closeUnless(descriptor, () => {
    makeReceiveRoom(descriptor);
    options.control?.(socketOf(descriptor), "unixgram", { transport: "unixpacket", path: path ?? null });
    if (bindable !== null) bindPath(descriptor, bindable);
    const socket = unixDatagram(descriptor);
    keepPath(descriptor, !(options.unlinkOnClose ?? true));
    return socket;
  });
}
