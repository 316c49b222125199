/**
 * The Worker of dashboard.ts that makes the load: datagrams from several sockets, some of which make place for others all
 * the time, and connections, each of them new.
 *
 * @module
 */
/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
import { connect, listenDatagram, type UdpSocket } from "../../mod.ts";

/** How much, and where to. */
export interface Load {
  /** Datagrams and connections a second. */
  rate: number;
  connections: number;
  /** Sockets that send the datagrams. */
  flows: number;
  udp: Deno.NetAddr;
  tcp: Deno.NetAddr;
}

/** Milliseconds between two bursts, and that a socket sends before it makes place for another. */
const STEP = 20;
const LIFE = 8000;

const PAYLOAD = new TextEncoder().encode("hello");

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Does something so many times a second, in bursts. What could not be done in time is not made up for. */
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

/** The kernel chooses by sender and receiver: what one socket sends all goes to one Worker. */
async function sendDatagrams({ rate, flows, udp: addr }: Load): Promise<void> {
  const open = () => listenDatagram({ transport: "udp", hostname: addr.hostname });
  const senders: UdpSocket[] = Array.from({ length: flows }, open);
  let [oldest, next, renewed] = [0, 0, performance.now()];
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
      await sender.sendMany(Array.from({ length: Math.min(each, left) }, () => ({ data: PAYLOAD, addr })));
    }
  });
}

async function makeConnections({ connections, tcp: { hostname, port } }: Load): Promise<void> {
  await pace(connections, async (count) => {
    for (let made = 0; made < count; made++) {
      using conn = await connect({ hostname, port });
      conn.setLinger(0); // Ends at once: connections that linger would take up the ports.
    }
  });
}

self.onmessage = async ({ data }: MessageEvent<Load>) => {
  await Promise.all([sendDatagrams(data), makeConnections(data)]);
};
