/**
 * Finds the ports of a host that answer.
 *
 * @module
 */
import { connect, isSocketError, listenDatagram } from "../../mod.ts";

/** Ports that are asked at the same time. */
const AT_ONCE = 32;

/** Milliseconds that a UDP port may take to refuse: silence means that it may be open. */
const UDP_TIMEOUT = 500;

/** A port and its result. */
export interface Scanned {
  port: number;
  open: boolean;
  /** Why not. */
  reason: string;
}

/** Parses "80" or "20-25". */
export function parsePorts(text: string): number[] {
  const [, first, last = first] = text.match(/^(\d{1,5})(?:-(\d{1,5}))?$/) ?? [];
  const [from, to] = [Number(first), Number(last)];
  if (!(from >= 1 && to <= 65_535 && from <= to)) {
    throw new RangeError(`${text}: expected a port or a range such as 20-25`);
  }
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

async function scanTcp(hostname: string, port: number, timeout: number, by: { interface?: string }): Promise<Scanned> {
  try {
    using _conn = await connect({ hostname, port, deadline: timeout, ...by });
    return { port, open: true, reason: "" };
  } catch (error) {
    if (!isSocketError(error)) throw error;
    return { port, open: false, reason: error.timeout ? "timed out" : error.code };
  }
}

/** For a closed port the host sends an ICMP error, which a connected socket reports. */
async function scanUdp(hostname: string, port: number): Promise<Scanned> {
  using socket = listenDatagram({ transport: "udp", hostname: hostname.includes(":") ? "::" : "0.0.0.0" });
  socket.connect({ transport: "udp", hostname, port });
  socket.setReadDeadline(UDP_TIMEOUT);
  try {
    await socket.send(new Uint8Array(1));
    await socket.receive();
  } catch (error) {
    if (!isSocketError(error)) throw error;
    if (!error.timeout) return { port, open: false, reason: error.code };
  }
  return { port, open: true, reason: "" };
}

/** Yields the result of each port, in order, and asks some at the same time. Ends when the signal is aborted. */
export async function* scan(
  hostname: string,
  ports: readonly number[],
  options: { udp: boolean; timeout: number; signal: AbortSignal; interface?: string },
): AsyncGenerator<Scanned> {
  const by = options.interface === undefined ? {} : { interface: options.interface };
  const ask = (port: number) => options.udp ? scanUdp(hostname, port) : scanTcp(hostname, port, options.timeout, by);
  const waiting: Promise<Scanned>[] = [];
  for (const port of ports) {
    if (options.signal.aborted) return;
    waiting.push(ask(port));
    if (waiting.length === AT_ONCE) yield await waiting.shift()!;
  }
  for (const scanned of waiting) yield await scanned;
}
