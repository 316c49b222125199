/**
 * A listener on loopback with a full queue, so that dials to it hang.
 *
 * @module
 */
import { connect, type TcpConn, type TcpListener } from "../../mod.ts";
import { listenTcp } from "./support.ts";

/** Why there can be none on this system, or null. */
export const NO_BLACKHOLE: string | null = Deno.build.os === "linux"
  ? null
  : "needs a full queue that drops dials, as on Linux";

/** How many dials wait to be accepted: the receive queue of a listener in proc_net_tcp(5). Of IPv6 addresses, "::1". */
async function queueLength({ hostname, port }: Deno.NetAddr): Promise<number> {
  const table = await Deno.readTextFile(`/proc/self/net/${hostname.includes(":") ? "tcp6" : "tcp"}`);
  // Four bytes at a time, as this machine keeps them.
  const address = hostname.includes(":")
    ? "00000000000000000000000001000000"
    : hostname.split(".").reverse().map((byte) => Number(byte).toString(16).padStart(2, "0")).join("").toUpperCase();
  const digits = port.toString(16).toUpperCase().padStart(4, "0");
  const [, length] = new RegExp(`^ *\\d+: ${address}:${digits} \\S+ 0A [0-9A-F]+:([0-9A-F]+) `, "m").exec(table)!;
  return parseInt(length!, 16);
}

/** Its dials hang for minutes. */
export class Blackhole implements Disposable {
  readonly #listener: TcpListener;
  readonly #waiting: TcpConn[] = [];

  private constructor(listener: TcpListener) {
    this.#listener = listener;
  }

  /** Fills the queue of a listener at this address. */
  static async open(hostname: string, port = 0): Promise<Blackhole> {
    const listener = listenTcp({ hostname, port, tcpBacklog: 0 });
    const blackhole = new Blackhole(listener);
    do {
      blackhole.#waiting.push(await connect({ hostname, port: listener.addr.port }));
    } while (await queueLength(listener.addr) === 0);
    return blackhole;
  }

  get addr(): Deno.NetAddr {
    return this.#listener.addr;
  }

  [Symbol.dispose](): void {
    for (const conn of this.#waiting) conn.close();
    this.#listener.close();
  }
}
