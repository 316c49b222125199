/**
 * The Worker of dashboard.ts that generates the load: datagrams from several sockets, which are replaced one after another,
 * and new connections.
 *
 * @module
 */
/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
import { connect, listenDatagram, type UdpSocket } from "../../mod.ts";

/** The load to generate and its destinations. */
export interface Load {
  /** Datagrams and connections per second. */
  rate: number;
  connections: number;
  /** Number of sockets that send the datagrams. */
  flows: number;
  /** Whether the first byte of a datagram chooses its Worker, and not the addresses and ports of both ends. */
  steered: boolean;
  udp: Deno.NetAddr;
  tcp: Deno.NetAddr;
}

/** Time between two bursts, and time until a sending socket is replaced, in milliseconds. */
const STEP = 20;
const LIFE = 8000;

/** Datagrams, each with another first byte. */
const PAYLOADS = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte, 1, 2, 3));

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Calls `burst` with the number of events that are due, `rate` per second. Missed events are not made up for. */
async function pace(rate: number, burst: (count: number) => Promise<unknown>): Promise<void> {
  let due = 0;
  for (let before = performance.now();;) {
    await sleep(STEP);
    const now = performance.now();
    due += Math.min(now - before, 5 * STEP) / 1000 * rate;
    before = now;
    const count = Math.floor(due);
    due -= count;
    if (count > 0) await burst(count);
  }
}

/** Sends datagrams. The kernel chooses by the addresses and ports of both ends, so that one sender always reaches one Worker;
 * or, if they are steered, by the first byte, which is another in each. */
async function sendDatagrams({ rate, flows, udp: addr }: Load): Promise<void> {
  const open = () => listenDatagram({ transport: "udp", hostname: addr.hostname });
  const senders: UdpSocket[] = Array.from({ length: flows }, open);
  let [oldest, next, renewed] = [0, 0, performance.now()];
  let sent = 0;
  const datagram = () => ({ data: PAYLOADS[sent++ % PAYLOADS.length]!, addr });
  await pace(rate, async (count) => {
    if (performance.now() - renewed > LIFE / flows) {
      senders[oldest]!.close();
      senders[oldest] = open();
      oldest = (oldest + 1) % flows;
      renewed = performance.now();
    }
    const each = Math.ceil(count / flows);
    for (let left = count; left > 0; left -= each) {
      const sender = senders[next++ % flows]!;
      await sender.sendMany(Array.from({ length: Math.min(each, left) }, datagram));
    }
  });
}

async function makeConnections({ connections, tcp: { hostname, port } }: Load): Promise<void> {
  await pace(connections, async (count) => {
    for (let made = 0; made < count; made++) {
      using conn = await connect({ hostname, port });
      conn.setLinger(0); // Reset on close: connections in TIME_WAIT would use up the ports.
    }
  });
}

self.onmessage = async ({ data }: MessageEvent<Load>) => {
  await Promise.all([sendDatagrams(data), makeConnections(data)]);
};
