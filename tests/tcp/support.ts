/**
 * TCP sockets of tests: on loopback.
 *
 * @module
 */
import { connect, listen, type TcpConn, type TcpListener, type TcpListenOptions } from "../../mod.ts";

/** Where the tests' traffic stays. */
export const LOOPBACK = "127.0.0.1";

/** For suites that wait: not a measurement, a hang should end with a report. */
export const PATIENCE = { timeout: 60_000 } as const;

/** Opens a listener on a free port of loopback, with options besides. */
export function listenTcp(options: Partial<TcpListenOptions> = {}): TcpListener {
  return listen({ hostname: LOOPBACK, port: 0, ...options });
}

/** Why there is nothing to test over IPv6, or null. */
export function withoutIPv6(): string | null {
  try {
    listenTcp({ hostname: "::1" }).close();
    return null;
  } catch (error) {
    return `no IPv6 here: ${(error as Error).message}`;
  }
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

/** Connects to a listener on which nobody else waits. */
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

/** A port where nobody listens just now, on either family. */
export function freePort(): number {
  using listener = listenTcp({ hostname: withoutIPv6() === null ? "::" : "0.0.0.0" });
  return listener.addr.port;
}

/** Text as bytes. */
export function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
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
