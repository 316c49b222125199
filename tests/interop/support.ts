/**
 * What the tests against other programs share.
 *
 * @module
 */
import { listenDatagram, type UdpSocket } from "../../mod.ts";

/** Where all of their traffic stays. */
export const LOOPBACK = "127.0.0.1";

/** How long an answer may take, in milliseconds. Not a measurement: a hang should end with a report. */
export const PATIENCE_MS = 60_000;

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
export async function receiveText(socket: UdpSocket): Promise<[text: string, from: Deno.NetAddr]> {
  socket.setReadDeadline(new Date(Date.now() + PATIENCE_MS));
  const [data, from] = await socket.receive();
  return [new TextDecoder().decode(data), from];
}
