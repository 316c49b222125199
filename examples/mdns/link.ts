/**
 * The socket of multicast DNS, on one interface or on all, over IPv4 and IPv6.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { listenDatagram, type NetworkInterface, type UdpSocket, watchInterfaces } from "../../mod.ts";
import { decode, type DecodedPacket, encode, type Packet } from "../npm/dns_packet.ts";

/** The port of multicast DNS. Who asks from another wants a plain answer of DNS. */
export const PORT = 5353;

const GROUPS = { inet: "224.0.0.251", inet6: "ff02::fb" } as const;

/** A message that was received. */
export interface Received {
  packet: DecodedPacket;
  from: Deno.NetAddr;
  /** The interface that it came by. */
  by: NetworkInterface;
}

export class Link implements Disposable {
  readonly #wanted: string;
  readonly #socket: UdpSocket;
  readonly #interfaces = new Map<number, NetworkInterface>();
  readonly #stop = new AbortController();

  /** Opens the socket and joins the groups. `wanted` is the name of an interface, or "all". */
  constructor(wanted: string) {
    this.#wanted = wanted;
    this.#socket = openSocket();
    try {
      // On a socket of IPv4 alone there is no group of IPv6 to join.
      const groups = this.#socket.addr.hostname === "::" ? Object.values(GROUPS) : [GROUPS.inet];
      for (const group of groups) this.#socket.joinMulticast(group, { interface: wanted });
    } catch (error) {
      this.#socket.close();
      throw error;
    }
  }

  /** The interfaces that messages go by. */
  get interfaces(): NetworkInterface[] {
    return [...this.#interfaces.values()];
  }

  /** Follows the interfaces: yields each that messages can go by from then on. */
  async *follow(): AsyncGenerator<NetworkInterface> {
    for await (const { type, interface: one } of watchInterfaces({ signal: this.#stop.signal })) {
      const wanted = this.#wanted === "all" ? one.multicast && !one.loopback : one.name === this.#wanted;
      const usable = type !== "removed" && wanted && one.up && one.addresses.length > 0;
      const before = this.#interfaces.get(one.index);
      if (!usable) this.#interfaces.delete(one.index);
      else this.#interfaces.set(one.index, one);
      const news = JSON.stringify(before?.addresses) !== JSON.stringify(one.addresses);
      if (usable && news) yield one;
    }
  }

  /** Yields the messages that come by these interfaces. Bytes that are no message are passed over. */
  async *receive(): AsyncGenerator<Received> {
    for (;;) {
      const { data, addr, interfaceIndex, ttl } = await this.#socket.receiveMessage({ signal: this.#stop.signal });
      const by = this.#interfaces.get(interfaceIndex ?? 0);
      if (by === undefined) continue;
      let packet: DecodedPacket;
      try {
        packet = decode(Buffer.from(data.buffer, data.byteOffset, data.length));
      } catch {
        continue;
      }
      // A router takes 1 off, so an answer of this very network has all of 255.
      if (packet.type === "response" && (addr.port !== PORT || ttl !== 255)) continue;
      yield { packet, from: addr, by };
    }
  }

  /** Sends to the groups, by one interface. */
  async send(packet: Packet, { index, addresses }: NetworkInterface): Promise<void> {
    const bytes = encode(packet);
    for (const family of ["inet", "inet6"] as const) {
      if (!addresses.some((one) => one.family === family)) continue;
      const hostname = family === "inet" ? GROUPS.inet : `${GROUPS.inet6}%${index}`;
      // An interface that has just gone, or has no route yet, will be told of again.
      await this.#socket.send(bytes, { transport: "udp", hostname, port: PORT }, { interfaceIndex: index })
        .catch(() => {});
    }
  }

  /** Sends to one host. */
  async reply(packet: Packet, to: Deno.NetAddr, { index }: NetworkInterface): Promise<void> {
    await this.#socket.send(encode(packet), to, { interfaceIndex: index }).catch(() => {});
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    this.#socket[Symbol.dispose]();
  }
}

/** One socket for both families where the system has both. Others on this machine share the port. */
function openSocket(): UdpSocket {
  const options = { transport: "udp", port: PORT, reuseAddress: true, loopback: true, packetInfo: true } as const;
  let socket: UdpSocket;
  try {
    socket = listenDatagram({ ...options, hostname: "::" });
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse || error instanceof Deno.errors.NotCapable) throw error;
    socket = listenDatagram({ ...options, hostname: "0.0.0.0" });
  }
  socket.setMulticastTTL(255);
  socket.setTTL(255);
  return socket;
}
