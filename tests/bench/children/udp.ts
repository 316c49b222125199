/** A UDP subject with our API or with Deno's: `udp.ts ours|Deno receive|send|round_trip [PORT]`. One JSON line of results. */

import { quantile } from "../framework/statistics.ts";
import { OURS } from "../framework/workload.ts";
import { countStrides, report, STRIDE } from "./counting.ts";

type Api = Pick<typeof Deno, "listenDatagram">;

const [which, mode, port] = Deno.args;
const api: Api = which === OURS ? await import("../../../mod.ts") as unknown as Api : Deno;
const socket = api.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
const peer: Deno.NetAddr = { transport: "udp", hostname: "127.0.0.1", port: Number(port) };
const datagram = new Uint8Array(64);
const buffer = new Uint8Array(2048);

async function receive(): Promise<void> {
  report({ port: (socket.addr as Deno.NetAddr).port });
  report(
    await countStrides(async () => {
      for (let left = STRIDE; left > 0; left--) await socket.receive(buffer);
      return STRIDE;
    }),
  );
}

async function send(): Promise<void> {
  report(
    await countStrides(async () => {
      for (let left = STRIDE; left > 0; left--) await socket.send(datagram, peer);
      return STRIDE;
    }),
  );
}

async function roundTrip(): Promise<void> {
  const times: number[] = [];
  const { processor, count } = await countStrides(async () => {
    for (let left = STRIDE; left > 0; left--) {
      const start = performance.now();
      await socket.send(datagram, peer);
      await socket.receive(buffer);
      times.push((performance.now() - start) * 1000);
    }
    return STRIDE;
  });
  const counted = times.slice(-count);
  report({ median: quantile(counted, 0.5), p99: quantile(counted, 0.99), processor });
}

const modes: Record<string, () => Promise<void>> = { receive, send, round_trip: roundTrip };
await modes[mode!]!();
socket.close();
