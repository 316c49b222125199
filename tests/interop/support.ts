/**
 * What the tests against other programs share.
 *
 * @module
 */
import { listenDatagram, type UdpSocket } from "../../mod.ts";
import { LOOPBACK } from "../support/loopback.ts";
import { TIMEOUT_MS } from "../support/timeout.ts";

/** A socket whose multicast goes to loopback and nowhere else. */
export function multicastSender(): UdpSocket {
  const socket = listenDatagram({ transport: "udp", hostname: LOOPBACK, loopback: true });
  socket.setMulticastInterface(LOOPBACK);
  return socket;
}

/** Sends text in one datagram. */
export async function sendText(socket: UdpSocket, text: string, to: Deno.NetAddr): Promise<void> {
  await socket.send(new TextEncoder().encode(text), to);
}

/** Receives the text of one datagram. */
export async function receiveTextFrom(socket: UdpSocket): Promise<[text: string, from: Deno.NetAddr]> {
  socket.setReadDeadline(new Date(Date.now() + TIMEOUT_MS));
  const [data, from] = await socket.receive();
  return [new TextDecoder().decode(data), from];
}
