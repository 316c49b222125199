/** Waits on a listener and on a UDP socket, with our API or with Deno's, while nothing comes: `idle.ts ours|Deno`. */

import process from "node:process";
import { OURS } from "../framework/workload.ts";

/** Milliseconds before looking, and while looking. */
const SETTLE = 500;
const WINDOW = 3000;

type Api = Pick<typeof Deno, "listen" | "listenDatagram">;

const api: Api = Deno.args[0] === OURS ? await import("../../../mod.ts") as unknown as Api : Deno;
const pause = (time: number) => new Promise((resolve) => setTimeout(resolve, time));

const listener = api.listen({ transport: "tcp", hostname: "127.0.0.1", port: 0 });
const datagrams = api.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
const waiting = Promise.allSettled([listener.accept(), datagrams.receive()]);

await pause(SETTLE);
const before = process.cpuUsage();
const start = performance.now();
await pause(WINDOW);
const { user, system } = process.cpuUsage(before);
console.log(JSON.stringify({ share: (user + system) / 1000 / (performance.now() - start) * 100 }));

listener.close();
datagrams.close();
await waiting;
