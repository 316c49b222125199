/**
 * UDP sockets of tests: on loopback, with text for datagrams.
 *
 * @module
 */
import { listenDatagram, Socket, sockopt, type UdpListenOptions, type UdpSocket } from "../../mod.ts";
import { thisSystem } from "../../ffi/libc/host.ts";
import { text } from "../support/bytes.ts";
import { notSettable, unknownHere } from "../support/kernel.ts";
import { LOOPBACK } from "../support/loopback.ts";

/** Opens a socket on a free port of loopback, with options besides. */
export function openUdp(options: Partial<UdpListenOptions> = {}): UdpSocket {
  return listenDatagram({ transport: "udp", hostname: LOOPBACK, ...options });
}

/** Why a socket cannot be kept from receiving what others have joined, or null; a system without the option keeps it. */
export const notOwnGroups: string | null = sockopt.IP_MULTICAST_ALL.supported
  ? notSettable(() => Socket.open("inet", "dgram"), sockopt.IP_MULTICAST_ALL, false)
  : null;

/** Opens a socket that receives only the groups that it joins, on a shared port. */
export function openMember(options: Partial<UdpListenOptions> = {}): UdpSocket {
  const socket = openUdp({ hostname: "0.0.0.0", reuseAddress: true, ...options });
  if (sockopt.IP_MULTICAST_ALL.supported && notOwnGroups === null) {
    socket.socket.setOption(sockopt.IP_MULTICAST_ALL, false);
  }
  return socket;
}

/** Why the interface that multicast is sent by cannot be chosen, or null. */
export const noMulticastInterface: string | null = unknownHere("IP_MULTICAST_IF", () => {
  using socket = openUdp();
  socket.setMulticastInterface(LOOPBACK);
});

/** Opens a socket whose multicast stays on loopback. */
export function openSender(options: Partial<UdpListenOptions> = {}): UdpSocket {
  const socket = openUdp({ loopback: true, ...options });
  // Without the option, it is sent by the interface that has the socket's address.
  if (noMulticastInterface === null) socket.setMulticastInterface(LOOPBACK);
  return socket;
}

/** Why the system does not say when a datagram left, or null. */
export const noSentTimestamps: string | null = thisSystem().constants.SO_TIMESTAMPING === 0
  ? "no SO_TIMESTAMPING here"
  : unknownHere("SO_TIMESTAMPING", () => openUdp({ timestamps: { transmit: true } }).close());

/** The next datagram as text. */
export async function receiveText(socket: Deno.DatagramConn): Promise<string> {
  const [data] = await socket.receive();
  return text(data);
}

/** What comes before the datagram "marker": datagrams of one sender keep their order, so that one sent before it and not received by then
 * never will be. */
export async function receiveUntilMarker(socket: Deno.DatagramConn): Promise<string[]> {
  const received: string[] = [];
  for (let one = await receiveText(socket); one !== "marker"; one = await receiveText(socket)) received.push(one);
  return received;
}
