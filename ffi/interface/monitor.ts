import { type Libc, libc } from "../libc/libc.ts";
import { systemError, unwrap } from "../libc/socket_error.ts";
import { closeUnless, type Descriptor, openDescriptor } from "../io/descriptor.ts";
import { AGAIN, type Again, Operation } from "../io/operation.ts";
import { encodeNetlinkAddress, isRouteChange, netlinkPort, readNetlinkChanges } from "../struct/netlink.ts";
import { SOCKADDR_STORAGE_SIZE } from "../struct/sockaddr.ts";
import { listInterfaces } from "./listing.ts";
import type { NetworkInterface } from "./network_interface.ts";

/** An interface that has come, gone or changed: {@linkcode watchInterfaces}.
 *
 * @example
 * ```ts
 * import { type InterfaceChange, watchInterfaces } from "@berkeley/sockets";
 *
 * const describe = ({ type, interface: { name } }: InterfaceChange) => `${name} ${type}`;
 * for await (const change of watchInterfaces()) {
 *   console.log(describe(change)); // lo added
 *   break;
 * }
 * ```
 */
export interface InterfaceChange {
  /** "changed": its state, its name, its MTU or its addresses are other than before. */
  type: "added" | "changed" | "removed";
  /** The interface as it is then; one that was removed, as it was last. */
  interface: NetworkInterface;
}

/** The longest datagram of messages, in bytes: NLMSG_GOODSIZE is a page, and 32 KiB is the most of a dump. */
const MESSAGE_SIZE = 32_768;

/** What the messages are about, for errors. */
const SUBJECT = "changes of interfaces";

/** Datagrams that are taken before the interfaces are listed. */
const MOST_MESSAGES = 4096;

/** Follows the interfaces of this machine: a socket of rtnetlink(7), or a routing socket, says that something is another,
 * and a listing says what it is. Where the socket's buffer has overrun, ENOBUFS, the listing is made all the same. */
export class InterfaceMonitor {
  readonly descriptor: Descriptor;
  readonly #libc: Libc = libc();
  readonly #message = new Uint8Array(MESSAGE_SIZE);
  readonly #sender = new Uint8Array(SOCKADDR_STORAGE_SIZE);
  readonly #senderLength = new Uint32Array(1);
  readonly #pending: InterfaceChange[] = [];
  /** The interfaces of the listing before, by their index. */
  #known: ReadonlyMap<number, NetworkInterface> = new Map();
  /** Whether something has changed since that listing. */
  #stale = true;
  /** Indexes of interfaces that have gone since, though one may have the number again. */
  readonly #removed = new Set<number>();

  /** Subscribes. The first changes tell of all the interfaces there are. */
  constructor() {
    this.descriptor = this.#subscribe();
  }

  /** Whether there is a change to take. */
  get ready(): boolean {
    while (this.#pending.length === 0) {
      this.#receive();
      if (!this.#stale) return false;
      this.#compare();
    }
    return true;
  }

  /** The next change; null where there is none yet. */
  take(): InterfaceChange | null {
    return this.ready ? this.#pending.shift()! : null;
  }

  /** The interfaces, as the changes that were taken have it. */
  known(): Iterable<NetworkInterface> {
    return this.#known.values();
  }

  #subscribe(): Descriptor {
    const { constants, network } = this.#libc.system;
    const { AF_NETLINK, AF_ROUTE, ...groups } = network.constants;
    const descriptor = openDescriptor(AF_NETLINK || AF_ROUTE, constants.SOCK_RAW, 0);
    if (AF_NETLINK === 0) return descriptor;
    const wanted = groups.RTMGRP_LINK | groups.RTMGRP_IPV4_IFADDR | groups.RTMGRP_IPV6_IFADDR;
    const address = encodeNetlinkAddress(network, wanted);
    return closeUnless(descriptor, () => {
      unwrap(this.#libc.c.bind(descriptor.fd, address, address.length), "bind");
      return descriptor;
    });
  }

  /** Takes every message there is, or so many that a listing tells more. */
  #receive(): void {
    const { c, errno, system: { errors } } = this.#libc;
    const { fd } = this.descriptor;
    for (let taken = 0; taken < MOST_MESSAGES; taken++) {
      this.#senderLength[0] = SOCKADDR_STORAGE_SIZE;
      const size = BigInt(MESSAGE_SIZE);
      const length = c.recvfrom(fd, this.#message, size, 0, this.#sender, this.#senderLength);
      if (length !== -1) {
        this.#read(this.#message.subarray(0, length));
        continue;
      }
      const code = errno();
      if (code === errors.EAGAIN) return;
      if (code === errors.ENOBUFS) this.#stale = true;
      else if (code !== errors.EINTR) throw systemError(code, "recvfrom", SUBJECT);
    }
    this.#stale = true;
  }

  #read(bytes: Uint8Array<ArrayBuffer>): void {
    const { network } = this.#libc.system;
    if (network.constants.AF_NETLINK === 0) {
      if (isRouteChange(network, bytes)) this.#stale = true;
      return;
    }
    // What other processes send, the kernel alone can know.
    if (netlinkPort(this.#sender) !== 0) return;
    for (const { kind, index } of readNetlinkChanges(network, bytes)) {
      this.#stale = true;
      if (kind === "removed") this.#removed.add(index);
    }
  }

  /** Lists the interfaces and notes how they differ from those of the listing before. */
  #compare(): void {
    const now = new Map(listInterfaces().map((one) => [one.index, one]));
    this.#stale = false;
    const before = this.#known;
    for (const [index, one] of before) {
      if (!now.has(index) || this.#removed.has(index)) this.#pending.push({ type: "removed", interface: one });
    }
    for (const [index, one] of now) {
      const known = this.#removed.has(index) ? undefined : before.get(index);
      if (known === undefined) this.#pending.push({ type: "added", interface: one });
      else if (!isSame(known, one)) this.#pending.push({ type: "changed", interface: one });
    }
    this.#known = now;
    this.#removed.clear();
  }
}

function isSame(one: NetworkInterface, other: NetworkInterface): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Waits for the next change, and takes it. */
export class TakingChange extends Operation<InterfaceChange> {
  readonly syscall = "recvfrom";
  readonly #monitor: InterfaceMonitor;

  constructor(monitor: InterfaceMonitor) {
    super();
    this.#monitor = monitor;
  }

  override attempt(): InterfaceChange | Again {
    return this.#monitor.take() ?? AGAIN;
  }
}

/** Waits until there is a change to take. */
export class AwaitingChange extends Operation<void> {
  readonly syscall = "recvfrom";
  readonly #monitor: InterfaceMonitor;

  constructor(monitor: InterfaceMonitor) {
    super();
    this.#monitor = monitor;
  }

  override attempt(): void | Again {
    if (!this.#monitor.ready) return AGAIN;
  }
}
