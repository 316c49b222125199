/**
 * A Worker that waits for datagrams: for two at the head of the queue, and in a loop that answers all that follow. It
 * tells its port.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { listenDatagram } from "../../../mod.ts";

const socket = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
socket.receive(new Uint8Array(64));
socket.receiveMessage();
const answer = async () => {
  for await (const [data, from] of socket) await socket.send(data, from);
};
answer();
self.postMessage(socket.addr.port);
