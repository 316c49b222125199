import { type Libc, libc } from "../libc/libc.ts";
import { systemError, unwrap } from "../libc/socket_error.ts";
import {
  type Ifaddrs,
  IFADDRS_SIZE,
  LINK_ADDRESS_HEAD,
  linkAddressLength,
  prefixLengthOf,
  readIfaddrs,
  readLinkAddress,
} from "../struct/ifaddrs.ts";
import { formatIPv4, formatIPv6 } from "../struct/ip.ts";
import { readFamily, SIN6_ADDR, SIN_ADDR, SOCKADDR_IN6_SIZE, SOCKADDR_IN_SIZE } from "../struct/sockaddr.ts";
import type { InterfaceAddress, NetworkInterface } from "./network_interface.ts";

/** Times that a listing is made again because an interface went, or was renamed, while it was made. */
const MOST_ATTEMPTS = 8;

/** The MTU of an interface that went while it was listed. */
const GONE = -1;

const NO_BYTES = new Uint8Array();
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Lists the interfaces by their index, without asking for permission. */
export function listInterfaces(): NetworkInterface[] {
  for (let attempt = 1;; attempt++) {
    const listing = new Listing(libc());
    const listed = listing.list();
    if (!listing.missed || attempt === MOST_ATTEMPTS) return listed;
  }
}

/** One call of getifaddrs(3), read to its end before the memory is given back. */
class Listing {
  /** Whether something changed while the listing was made, so that part of it is not there. */
  missed = false;
  readonly #libc: Libc;
  readonly #byName = new Map<string, NetworkInterface>();

  constructor(libc: Libc) {
    this.#libc = libc;
  }

  list(): NetworkInterface[] {
    const { c, errno } = this.#libc;
    const head = new BigUint64Array(1);
    if (c.getifaddrs(head) === -1) throw systemError(errno(), "getifaddrs");
    try {
      // Interfaces first: an address has the name of its interface, or a label of its own.
      for (const entry of this.#entries(head[0]!)) this.#addLink(entry);
      for (const entry of this.#entries(head[0]!)) this.#addAddress(entry);
    } finally {
      c.freeifaddrs(head[0]!);
    }
    const found = [...this.#byName.values()].sort((one, other) => one.index - other.index);
    this.#readMtus(found);
    return found.filter(({ mtu }) => mtu !== GONE);
  }

  *#entries(first: bigint): Generator<Ifaddrs, void, undefined> {
    for (let at = first; at !== 0n;) {
      const entry = readIfaddrs(this.#libc.copyFrom(at, IFADDRS_SIZE));
      yield entry;
      at = entry.next;
    }
  }

  #name(address: bigint): string {
    return decoder.decode(this.#libc.copyFrom(address, Number(this.#libc.c.strlen(address))));
  }

  #family(address: bigint): number {
    return readFamily(this.#libc.system, this.#libc.copyFrom(address, 2), 0);
  }

  /** An entry with a link-layer address is the interface itself. So is one without any address, as of a tun device. */
  #addLink({ name, flags, address, data }: Ifaddrs): void {
    const { AF_PACKET, AF_LINK, ...is } = this.#libc.system.network.constants;
    if (address !== 0n && this.#family(address) !== (AF_PACKET || AF_LINK)) return;
    const link = this.#link(address, name);
    if (link.index === 0) {
      this.missed = true;
      return;
    }
    this.#byName.set(this.#name(name), {
      name: this.#name(name),
      index: link.index,
      up: (flags & is.IFF_UP) !== 0,
      loopback: (flags & is.IFF_LOOPBACK) !== 0,
      multicast: (flags & is.IFF_MULTICAST) !== 0,
      pointToPoint: (flags & is.IFF_POINTOPOINT) !== 0,
      mtu: this.#mtu(data),
      mac: formatMac(link.address),
      addresses: [],
    });
  }

  #link(address: bigint, name: bigint): { index: number; address: Uint8Array } {
    const { system: { network }, c } = this.#libc;
    if (address === 0n) {
      return { index: c.if_nametoindex(this.#libc.copyFrom(name, Number(c.strlen(name)) + 1)), address: NO_BYTES };
    }
    const length = linkAddressLength(network, this.#libc.copyFrom(address, LINK_ADDRESS_HEAD));
    return readLinkAddress(network, this.#libc.copyFrom(address, length));
  }

  /** The MTU beside a link-layer address of BSD; 0 where it is yet to be asked for. */
  #mtu(data: bigint): number {
    const { if_data } = this.#libc.system.network.layout;
    if (if_data === null || data === 0n) return 0;
    return new DataView(this.#libc.copyFrom(data, if_data.mtu + 4).buffer).getUint32(if_data.mtu, true);
  }

  #addAddress(entry: Ifaddrs): void {
    if (entry.address === 0n) return;
    const { AF_INET, AF_INET6 } = this.#libc.system.constants;
    const family = this.#family(entry.address);
    if (family !== AF_INET && family !== AF_INET6) return;
    const owner = this.#ownerOf(this.#name(entry.name));
    if (owner === undefined) this.missed = true;
    else owner.addresses.push(family === AF_INET ? this.#inet(entry) : this.#inet6(entry));
  }

  /** The interface that an address belongs to, by its name or by a label, which begins with the name. */
  #ownerOf(label: string): NetworkInterface | undefined {
    const named = this.#byName.get(label) ?? this.#byName.get(label.replace(/:.*/, ""));
    if (named !== undefined) return named;
    const names = [...this.#byName.keys()].filter((name) => label.startsWith(name));
    return this.#byName.get(names.sort((one, other) => other.length - one.length)[0] ?? "");
  }

  #inet({ address, netmask, destination, flags }: Ifaddrs): InterfaceAddress {
    const own = formatIPv4(this.#sockaddr(address, SOCKADDR_IN_SIZE), SIN_ADDR);
    const prefixLength = this.#prefixLength(netmask, SIN_ADDR, SOCKADDR_IN_SIZE, 32);
    const found: InterfaceAddress = { address: own, prefixLength, family: "inet" };
    if (destination === 0n) return found;
    const other = formatIPv4(this.#sockaddr(destination, SOCKADDR_IN_SIZE), SIN_ADDR);
    // Broadcast and peer are one member. A network of fewer than four addresses has no broadcast address.
    if (other === own || other === "0.0.0.0") return found;
    const broadcasts = (flags & this.#libc.system.network.constants.IFF_BROADCAST) !== 0 && prefixLength < 31;
    return broadcasts ? { ...found, broadcast: other } : { ...found, peer: other };
  }

  #inet6({ address, netmask, destination }: Ifaddrs): InterfaceAddress {
    const own = this.#textIPv6(address);
    const prefixLength = this.#prefixLength(netmask, SIN6_ADDR, SOCKADDR_IN6_SIZE, 128);
    const found: InterfaceAddress = { address: own, prefixLength, family: "inet6" };
    const peer = destination === 0n ? own : this.#textIPv6(destination);
    return peer === own || peer === "::" ? found : { ...found, peer };
  }

  #textIPv6(address: bigint): string {
    const sockaddr = this.#sockaddr(address, SOCKADDR_IN6_SIZE);
    const linkLocal = sockaddr[SIN6_ADDR] === 0xfe && (sockaddr[SIN6_ADDR + 1]! & 0xc0) === 0x80;
    // BSD keeps the index of the interface inside a link-local address.
    if (linkLocal && this.#libc.system.layout.sockaddrHasLength) sockaddr.fill(0, SIN6_ADDR + 2, SIN6_ADDR + 4);
    return formatIPv6(sockaddr, SIN6_ADDR);
  }

  #prefixLength(netmask: bigint, start: number, size: number, most: number): number {
    if (netmask === 0n) return most;
    return prefixLengthOf(this.#sockaddr(netmask, size).subarray(start, start + most / 8));
  }

  /** A sockaddr of `size` bytes. BSD leaves out zeros at the end. */
  #sockaddr(address: bigint, size: number): Uint8Array<ArrayBuffer> {
    if (!this.#libc.system.layout.sockaddrHasLength) return this.#libc.copyFrom(address, size);
    const bytes = new Uint8Array(size);
    bytes.set(this.#libc.copyFrom(address, Math.min(this.#libc.copyFrom(address, 1)[0]!, size)));
    return bytes;
  }

  /** On Linux an MTU takes a request for each interface, on any socket: SIOCGIFMTU of netdevice(7). */
  #readMtus(interfaces: readonly NetworkInterface[]): void {
    const { c, system: { constants, network } } = this.#libc;
    const { ifreq } = network.layout;
    if (ifreq === null) return;
    const fd = unwrap(c.socket(constants.AF_INET, constants.SOCK_DGRAM | constants.SOCK_CLOEXEC, 0), "socket");
    try {
      for (const one of interfaces) {
        const request = new Uint8Array(ifreq.size);
        encoder.encodeInto(one.name, request);
        const answered = c.ioctl(fd, BigInt(network.constants.SIOCGIFMTU), request) !== -1;
        one.mtu = answered ? new DataView(request.buffer).getInt32(ifreq.mtu, true) : GONE;
        this.missed ||= !answered;
      }
    } finally {
      c.close(fd);
    }
  }
}

/** Undefined for no address, and for one of zeros, which loopback has on Linux. */
function formatMac(bytes: Uint8Array): string | undefined {
  if (bytes.every((byte) => byte === 0)) return undefined;
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(":");
}
