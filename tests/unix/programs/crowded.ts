/**
 * Receives more descriptors than this process has room for, and tells how many came.
 *
 * @module
 */
import { listenDatagram, socketPair, type UdpSocket } from "../../../mod.ts";
import { descriptorCount } from "../../support/descriptors.ts";

const [one, two] = socketPair("stream");
const udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
await one.sendMessage({ data: new Uint8Array(1), fds: Array(10).fill(udp) });

const fillers: UdpSocket[] = [];
try {
  for (;;) fillers.push(listenDatagram({ transport: "udp", hostname: "127.0.0.1" }));
} catch (error) {
  if ((error as { code?: string }).code !== "EMFILE") throw error;
}
const room = 4;
for (const filler of fillers.splice(0, room)) filler.close();

const message = await two.receiveMessage();
const received = message!.fds.length;
for (const filler of fillers) filler.close();
const before = descriptorCount();
for (const fd of message!.fds) fd.close();
const left = descriptorCount() - before + received;
console.log(JSON.stringify({ room, received, truncated: message!.truncated, left }));
