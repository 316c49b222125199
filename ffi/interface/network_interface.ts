/** One address of an interface.
 *
 * @example
 * ```ts
 * import { type InterfaceAddress, interfaces } from "@berkeley/sockets";
 *
 * const text = ({ address, prefixLength }: InterfaceAddress) => `${address}/${prefixLength}`;
 * for (const { name, addresses } of interfaces()) console.log(name, addresses.map(text).join(" "));
 * ```
 */
export interface InterfaceAddress {
  /** The address without a zone: "192.0.2.2", "fe80::1". */
  address: string;
  /** Bits of the network's part: 0 to 32 for IPv4, 0 to 128 for IPv6. */
  prefixLength: number;
  /** "inet" for IPv4, "inet6" for IPv6. */
  family: "inet" | "inet6";
  /** The address of all hosts of the network. IPv4 only. */
  broadcast?: string | undefined;
  /** The other end of a point-to-point link. */
  peer?: string | undefined;
}

/** A network interface of this machine, from {@linkcode interfaces} and {@linkcode watchInterfaces}.
 *
 * @example
 * ```ts
 * import { interfaces, type NetworkInterface } from "@berkeley/sockets";
 *
 * const isUsable = ({ up, multicast }: NetworkInterface) => up && multicast;
 * console.log(interfaces().filter(isUsable).map(({ name }) => name));
 * ```
 */
export interface NetworkInterface {
  /** "eth0", "lo", … */
  name: string;
  /** The system's number for it. An interface that is removed and comes back may have another. */
  index: number;
  /** Whether it is switched on: IFF_UP. A carrier is not required. */
  up: boolean;
  /** Whether it is a loopback interface: IFF_LOOPBACK. */
  loopback: boolean;
  /** Whether it takes multicast: IFF_MULTICAST. */
  multicast: boolean;
  /** Whether it is a link to one other host: IFF_POINTOPOINT. */
  pointToPoint: boolean;
  /** The longest packet it takes, in bytes. */
  mtu: number;
  /** Hardware address, "02:42:ac:11:00:02"; undefined where there is none. */
  mac?: string | undefined;
  /** IPv4 and IPv6 addresses, in the system's order. */
  addresses: InterfaceAddress[];
}
