/**
 * TCP sockets of tests: on loopback.
 *
 * @module
 */
import { connect, listen, type TcpConn, type TcpListener, type TcpListenOptions } from "../../mod.ts";
import { LOOPBACK } from "../support/loopback.ts";

/** Opens a listener on a free port of loopback, with options besides. */
export function listenTcp(options: Partial<TcpListenOptions> = {}): TcpListener {
  return listen({ hostname: LOOPBACK, port: 0, ...options });
}

/** Both ends of one connection. */
export interface Pair extends Disposable {
  readonly one: TcpConn;
  readonly two: TcpConn;
  stop(): void;
}

/** Connects to a listener of its own, which is closed again. */
export async function connectedPair(hostname = LOOPBACK): Promise<Pair> {
  using listener = listenTcp({ hostname });
  return await connectThrough(listener);
}

/** Connects to a listener without other waiting accepts. */
export async function connectThrough(listener: TcpListener): Promise<Pair> {
  const { hostname, port } = listener.addr;
  const accepting = listener.accept();
  const one = await connect({ hostname, port });
  const two = await accepting;
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

/** Reads to the end, as text. */
export async function readText(conn: { read(p: Uint8Array): Promise<number | null> }): Promise<string> {
  const decoder = new TextDecoder();
  const p = new Uint8Array(65_536);
  let text = "";
  for (let count = await conn.read(p); count !== null; count = await conn.read(p)) {
    text += decoder.decode(p.subarray(0, count), { stream: true });
  }
  return text;
}
