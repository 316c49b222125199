/**
 * Sends to a socket that nobody reads until its queue is full, and ends by itself, since the sends that wait do not hold
 * the process: `unref_full.ts <folder>`.
 *
 * @module
 */
import { listenDatagram } from "../../../mod.ts";

const [folder] = Deno.args as [string];
const sink = listenDatagram({ transport: "unixgram", path: `${folder}/sink` });
const source = listenDatagram({ transport: "unixgram", path: `${folder}/source` });
source.unref();
let sent = 0;
for (let index = 0; index < 100; index++) source.send(Uint8Array.of(index), sink.addr).then(() => sent++, () => {});
await new Promise((resolve) => setTimeout(resolve, 20));
console.log(JSON.stringify({ waiting: sent < 100 }));
addEventListener("unload", () => console.log("unloaded"));
