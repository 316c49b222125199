/**
 * Unix sockets in a process of their own, worked from outside: a JSON array `[method, ...args]` on each line of standard input, and its outcome
 * on standard output. Driven by ../remote.ts.
 *
 * @module
 */
import {
  connect,
  listen,
  listenDatagram,
  type SeqpacketConn,
  type SeqpacketListener,
  type UnixConn,
  type UnixDatagram,
  type UnixDatagramOptions,
  type UnixListener,
  type UnixListenOptions,
} from "../../../mod.ts";
import { Lines } from "../../support/lines.ts";

type Listener = UnixListener | SeqpacketListener;
type Conn = UnixConn | SeqpacketConn;
type ListenOptions = Omit<UnixListenOptions, "transport" | "control"> & { transport: "unix" | "seqpacket" };

let listener: Listener | undefined;
let conn: Conn | undefined;
let datagrams: UnixDatagram | undefined;

function open(options: ListenOptions): string {
  // The overloads of `listen` want to know which.
  const { transport, ...rest } = options;
  listener = transport === "unix" ? listen({ transport, ...rest }) : listen({ transport, ...rest });
  return "listening";
}

/** What can be asked; it resolves to what the answer holds. */
const methods = {
  /** Becomes another user, for good, with its group alone. */
  become(uid: number): void {
    const { symbols } = Deno.dlopen("libc.so.6", {
      setgroups: { parameters: ["usize", "pointer"], result: "i32" },
      setgid: { parameters: ["u32"], result: "i32" },
      setuid: { parameters: ["u32"], result: "i32" },
    });
    const results = [symbols.setgroups(0n, null), symbols.setgid(uid), symbols.setuid(uid)];
    if (results.some((result) => result !== 0)) throw new Error(`Could not become user ${uid}`);
  },
  listen: open,
  /** Listens at a moment, as exactly as can be. */
  listenAt(time: number, options: ListenOptions): string {
    while (Date.now() < time);
    return open(options);
  },
  /** Accepts connections until one takes its process id: whoever only looked whether it is alive has gone. */
  async answer(): Promise<void> {
    const data = new TextEncoder().encode(String(Deno.pid));
    for (let taken = false; !taken;) {
      using accepted = await listener!.accept();
      taken = await accepted.sendMessage({ data }).then(() => true, () => false);
    }
  },
  async accept(): Promise<void> {
    conn = await listener!.accept();
  },
  async connect(transport: "unix" | "seqpacket", path: string): Promise<string> {
    conn = transport === "unix" ? await connect({ transport, path }) : await connect({ transport, path });
    return "connected";
  },
  async send(text: string): Promise<void> {
    await conn!.sendMessage({ data: new TextEncoder().encode(text) });
  },
  /** Sends until the other end would have to read; more waits. */
  flood(): void {
    for (let index = 0; index < 100; index++) conn!.sendMessage({ data: new Uint8Array(65_536) }).catch(() => {});
  },
  /** What comes, with how many descriptors. */
  async receive(): Promise<[text: string, fds: number] | null> {
    const message = await conn!.receiveMessage();
    if (message === null) return null;
    for (const fd of message.fds) fd.close();
    return [new TextDecoder().decode(message.data), message.fds.length];
  },
  listenDatagram(options: Omit<UnixDatagramOptions, "control">): string {
    datagrams = listenDatagram(options);
    return "listening";
  },
  async sendTo(text: string, path: string): Promise<void> {
    await datagrams!.send(new TextEncoder().encode(text), { transport: "unixpacket", path });
  },
  close(): void {
    for (const one of [listener, conn, datagrams]) one?.[Symbol.dispose]();
  },
};

export type Methods = typeof methods;

type AnyMethod = (...args: unknown[]) => unknown;

console.log("ready");
for await (const line of new Lines(Deno.stdin.readable)) {
  const [method, ...args] = JSON.parse(line) as [keyof Methods, ...unknown[]];
  const call = methods[method] as AnyMethod;
  try {
    console.log(JSON.stringify({ value: await call(...args) ?? null }));
  } catch (error) {
    const { name, message, code } = error as Error & { code?: string };
    console.log(JSON.stringify({ error: { name, message, code } }));
  }
}
