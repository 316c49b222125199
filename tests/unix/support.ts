/**
 * Unix sockets of tests: in a directory of their own, which goes with everything in it.
 *
 * @module
 */
import {
  connect,
  listen,
  type SeqpacketConn,
  type SeqpacketListener,
  socketPair,
  type UnixConn,
  type UnixListener,
} from "../../mod.ts";
import { text } from "../support/bytes.ts";
import { thisSystem } from "../../ffi/libc/host.ts";
import { linuxTable, noAbstractNames, noSeqpacket } from "../support/systems.ts";

/** The longest path: sun_path less its NUL. */
export const LONGEST_PATH = thisSystem().layout.sockaddr_un.pathSize - 1;

/** Why nothing can be tested that only Linux has, or null. */
export const notLinux = linuxTable ? null : "needs Linux";

export { noAbstractNames, noSeqpacket };

/** Why nothing can be tested that needs another user, or null. */
export const notRoot = Deno.uid() === 0 ? null : "needs root, to become another user";

/** Why another user cannot reach a `Directory`, or null. */
export const notShared = notRoot ?? closedFolder();

/** The user and the group "nobody", which own nothing. */
export const NOBODY = 65_534;

/** The first folder above a `Directory` that other users may not enter, in a sentence, or null. */
function closedFolder(): string | null {
  const temporary = Deno.realPathSync(Deno.env.get("TMPDIR") || "/tmp");
  const names = temporary.split("/").filter((name) => name !== "");
  for (let depth = 1; depth <= names.length; depth++) {
    const folder = `/${names.slice(0, depth).join("/")}`;
    if ((Deno.statSync(folder).mode! & 0o001) === 0) {
      return `other users may not enter ${folder}, where temporary files are`;
    }
  }
  return null;
}

/** A directory for sockets; `using` removes it with everything in it. */
export class Directory implements Disposable {
  readonly path: string = Deno.makeTempDirSync({ prefix: "berkeley-" });

  /** The path of a file in it. */
  file(name = "socket"): string {
    return `${this.path}/${name}`;
  }

  /** The path of a file in it that is so many bytes long. */
  fileOfLength(length: number): string {
    const start = this.file("");
    return start + "x".repeat(length - start.length);
  }

  /** What is in it. */
  get names(): string[] {
    return Array.from(Deno.readDirSync(this.path), ({ name }) => name).sort();
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** Whether anything stands at a path. */
export function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

let names = 0;

/** Returns an unused abstract name. */
export function abstractName(): string {
  return `\0berkeley-${Deno.pid}-${++names}`;
}

/** Kinds of connection that carry descriptors and credentials. */
export type Transport = "unix" | "seqpacket";
/** Those that there are on this system. */
export const TRANSPORTS: readonly Transport[] = noSeqpacket === null ? ["unix", "seqpacket"] : ["unix"];

/** Listens for either kind, to any user. */
export function listenAs(transport: Transport, path: string): UnixListener | SeqpacketListener {
  const mode = 0o777;
  return transport === "unix" ? listen({ transport, path, mode }) : listen({ transport, path, mode });
}

/** Connects to either kind. */
export function connectAs(transport: Transport, path: string): Promise<UnixConn | SeqpacketConn> {
  return transport === "unix" ? connect({ transport, path }) : connect({ transport, path });
}

/** Two connected ends of either kind. */
export const PAIRS = { unix: () => socketPair("stream"), seqpacket: () => socketPair("seqpacket") };

/** Both ends of one connection. */
export interface Pair<C> extends Disposable {
  readonly one: C;
  readonly two: C;
  stop(): void;
}

/** Connects to a listener of its own at a path or an abstract name, which is closed again. */
export async function connectedPair(transport: "unix", path: string): Promise<Pair<UnixConn>>;
export async function connectedPair(transport: "seqpacket", path: string): Promise<Pair<SeqpacketConn>>;
export async function connectedPair(
  transport: "unix" | "seqpacket",
  path: string,
): Promise<Pair<UnixConn> | Pair<SeqpacketConn>> {
  if (transport === "unix") {
    using listener = listen({ transport, path });
    const accepting = listener.accept();
    return pairOf(await connect({ transport, path }), await accepting);
  }
  using listener = listen({ transport, path });
  const accepting = listener.accept();
  return pairOf(await connect({ transport, path }), await accepting);
}

/** Two ends as a pair. */
export function pairOf<C extends Disposable>(one: C, two: C): Pair<C> {
  return {
    one,
    two,
    stop: () => {},
    [Symbol.dispose]: () => {
      one[Symbol.dispose]();
      two[Symbol.dispose]();
    },
  };
}

/** Leaves a socket file without a listener at a path. */
export function leaveStale(path: string, transport: "unix" | "seqpacket" = "unix"): void {
  if (transport === "unix") listen({ transport, path, unlinkOnClose: false }).close();
  else listen({ transport, path, unlinkOnClose: false }).close();
}

/** What one read takes, as text: empty at the end. */
export async function readText(conn: { read(p: Uint8Array): Promise<number | null> }): Promise<string> {
  const p = new Uint8Array(1024);
  return text(p.subarray(0, await conn.read(p) ?? 0));
}

/** The numbers of this process's descriptors that lead somewhere. */
export function descriptorsOf(target: string): number[] {
  const numbers = Array.from(Deno.readDirSync("/proc/self/fd"), ({ name }) => Number(name));
  return numbers.filter((fd) => leadsTo(fd) === target);
}

/** What a descriptor leads to: a path, or "socket:[inode]". Null where it is not open. */
export function leadsTo(fd: number | string): string | null {
  try {
    return Deno.readLinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return null;
  }
}

/** Whether a descriptor is close-on-exec: O_CLOEXEC among its flags, which are octal. */
export function isCloseOnExec(fd: number): boolean {
  const flags = Deno.readTextFileSync(`/proc/self/fdinfo/${fd}`).match(/^flags:\s+(\d+)$/m)![1]!;
  return (parseInt(flags, 8) & 0o2000000) !== 0;
}
