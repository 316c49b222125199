import { libc } from "../libc/libc.ts";
import { unwrap } from "../libc/socket_error.ts";
import { thisSystem } from "../libc/host.ts";
import { copyOptions, optionsShape } from "../validate/options.ts";
import { requireSeqpacket, type SeqpacketListener, seqpacketListener } from "./seqpacket.ts";
import { formatAddress } from "../address/address.ts";
import { backlogOf } from "../validate/backlog.ts";
import { closeUnless, type Descriptor, openDescriptor } from "../io/descriptor.ts";
import { type Control, socketOf } from "../socket/socket.ts";
import { type UnixListener, unixListener } from "./unix.ts";
import { bindPath, keepPath, requireBindable, requirePath, type UnixPathOptions } from "./path.ts";

/** Options of {@linkcode listen} for Unix stream sockets.
 *
 * @example
 * ```ts
 * import { listen, type UnixListenOptions } from "@berkeley/sockets";
 *
 * const path = `/tmp/berkeley-${Deno.pid}.sock`;
 * const options: UnixListenOptions = { transport: "unix", path, mode: 0o600, backlog: 16 };
 * using listener = listen(options);
 * console.log(Deno.statSync(path).mode! & 0o777, listener.addr.path === path); // 384 true
 * ```
 */
export interface UnixListenOptions extends UnixPathOptions {
  /** A file path of at most 107 bytes (103 on BSD and macOS), or "\0name" for an abstract name on Linux. */
  path: string;
  /** Always "unix". */
  transport: "unix";
  /** Maximum number of connections that wait to be accepted. Default 511; the system may limit it. */
  backlog?: number;
  /** Function that is called with the new socket before bind. */
  control?: Control;
}

/** Options of {@linkcode listen} for seqpacket sockets; all but `transport` are those of {@linkcode UnixListenOptions}.
 *
 * @example
 * ```ts
 * import { listen, type SeqpacketListenOptions } from "@berkeley/sockets";
 *
 * const path = `/tmp/berkeley-${Deno.pid}.sock`;
 * const options: SeqpacketListenOptions = { transport: "seqpacket", path, replaceStale: true };
 * using listener = listen(options);
 * console.log(listener.addr.path === path); // true
 * ```
 */
export interface SeqpacketListenOptions extends Omit<UnixListenOptions, "transport"> {
  /** Always "seqpacket": SOCK_SEQPACKET, which Go calls "unixpacket". */
  transport: "seqpacket";
}

const KINDS = {
  transport: "any",
  path: "any",
  backlog: "any",
  mode: "any",
  replaceStale: "boolean",
  unlinkOnClose: "boolean",
  control: "function",
} as const;

const UNIX = optionsShape<UnixListenOptions>("Unix listeners", '{ transport: "unix", path }', KINDS);
const SEQPACKET = optionsShape<SeqpacketListenOptions>(
  "seqpacket listeners",
  '{ transport: "seqpacket", path }',
  KINDS,
);

export function listenUnix(options: UnixListenOptions): UnixListener {
  return open(copyOptions(options, UNIX), thisSystem().constants.SOCK_STREAM, unixListener);
}

export function listenSeqpacket(options: SeqpacketListenOptions): SeqpacketListener {
  return open(copyOptions(options, SEQPACKET), thisSystem().constants.SOCK_SEQPACKET, seqpacketListener);
}

/** Opens a listener. If a step fails, the socket is closed and its path removed. */
function open<T>(
  options: UnixListenOptions | SeqpacketListenOptions,
  type: number,
  make: (descriptor: Descriptor) => T,
): T {
  const path = requirePath(options.path);
  const backlog = backlogOf("backlog", options.backlog);
  const bindable = requireBindable(path, options);
  if (options.transport === "seqpacket") requireSeqpacket();
  const { c, system: { constants } } = libc();
  const descriptor = openDescriptor(constants.AF_UNIX, type, 0);
  return closeUnless(descriptor, () => {
    const addr = { transport: options.transport, path };
    options.control?.(socketOf(descriptor), options.transport, addr);
    bindPath(descriptor, bindable, () => {
      unwrap(c.listen(descriptor.fd, backlog), "listen", formatAddress(addr));
    });
    const listener = make(descriptor);
    keepPath(descriptor, !(options.unlinkOnClose ?? true));
    return listener;
  });
}
