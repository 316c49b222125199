/**
 * UDP sockets of tests: on loopback, with text for datagrams.
 *
 * @module
 */
import { listenDatagram, sockopt, type UdpListenOptions, type UdpSocket } from "../../mod.ts";

/** Where the tests' traffic stays. */
export const LOOPBACK = "127.0.0.1";

/** For suites that wait: not a measurement, a hang should end with a report. */
export const PATIENCE = { timeout: 60_000 } as const;

/** Opens a socket on a free port of loopback, with options besides. */
export function openUdp(options: Partial<UdpListenOptions> = {}): UdpSocket {
  return listenDatagram({ transport: "udp", hostname: LOOPBACK, ...options });
}

/** Opens a socket that hears the groups it joined and no others, on a port that several share. */
export function openMember(options: Partial<UdpListenOptions> = {}): UdpSocket {
  const socket = openUdp({ hostname: "0.0.0.0", reuseAddress: true, ...options });
  socket.socket.setOption(sockopt.IP_MULTICAST_ALL, false);
  return socket;
}

/** Opens a socket whose multicast stays on loopback. */
export function openSender(options: Partial<UdpListenOptions> = {}): UdpSocket {
  const socket = openUdp({ loopback: true, ...options });
  socket.setMulticastInterface(LOOPBACK);
  return socket;
}

/** Text as bytes. */
export function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Bytes as text. */
export function text(data: Uint8Array): string {
  return new TextDecoder().decode(data);
}

/** A host, or a group, at a port. */
export function at(hostname: string, port: number): Deno.NetAddr {
  return { transport: "udp", hostname, port };
}

/** The next datagram as text. */
export async function hear(socket: Deno.DatagramConn): Promise<string> {
  const [data] = await socket.receive();
  return text(data);
}

/** What comes before the datagram "marker": datagrams of one sender keep their order, so that one sent before it and not heard by then
 * never will be. */
export async function hearUntilMarker(socket: Deno.DatagramConn): Promise<string[]> {
  const heard: string[] = [];
  for (let one = await hear(socket); one !== "marker"; one = await hear(socket)) heard.push(one);
  return heard;
}
