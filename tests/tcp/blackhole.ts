/**
 * A listener on loopback with a full queue, so that dials to it hang.
 *
 * @module
 */
import { connect, type Socket, type TcpConn, type TcpListener } from "../../mod.ts";
import { listenTcp } from "./support.ts";

/** Why there can be none on this system, or null. */
export const NO_BLACKHOLE: string | null = Deno.build.os === "linux"
  ? null
  : "needs a full queue that drops dials, as on Linux";

/** Waits in the queue, and the most that may: tcpi_unacked and tcpi_sacked of a listener, linux/tcp.h. */
function queue(socket: Socket): { length: number; limit: number } {
  const [IPPROTO_TCP, TCP_INFO, TCPI_UNACKED, TCPI_SACKED] = [6, 11, 24, 28];
  const info = socket.getRawOption(IPPROTO_TCP, TCP_INFO, 64);
  const view = new DataView(info.buffer, info.byteOffset);
  return { length: view.getUint32(TCPI_UNACKED, true), limit: view.getUint32(TCPI_SACKED, true) };
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
    } while (queue(listener.socket).length <= queue(listener.socket).limit);
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
