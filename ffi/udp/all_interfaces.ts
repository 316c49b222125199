import { libc } from "../libc/libc.ts";
import { isSocketError, type SocketError, systemError } from "../libc/socket_error.ts";
import { formatHost } from "../address/address.ts";
import { requireInterfaces } from "../address/permissions.ts";
import { followInterfaces } from "../interface/follow.ts";
import type { InterfaceChange } from "../interface/monitor.ts";
import type { NetworkInterface } from "../interface/network_interface.ts";
import { type Descriptor, requireDescriptor } from "../io/descriptor.ts";
import type { IpFamily } from "./families.ts";
import type { GroupRequest } from "./group_option.ts";
import { Membership, parseFiltered } from "./joined.ts";
import { setLoopback, setMulticastHops } from "./multicast_settings.ts";

/** The smallest MTU of an interface with IPv6, in bytes: RFC 8200. The kernel takes IPv6 off one that has less. */
const LEAST_IPV6_MTU = 1280;

/** A membership of one group on every interface that is up and does multicast, also on those that come later. */
export class AllInterfaces {
  readonly group: string;
  readonly #descriptor: Descriptor;
  /** The socket's. */
  readonly #family: IpFamily;
  readonly #request: Omit<GroupRequest, "index">;
  /** By the index of the interface. */
  readonly #joined = new Map<number, Membership>();
  readonly #blocked = new Set<string>();
  #following: Disposable | null = null;
  #error: SocketError | undefined;

  /** Joins on all interfaces there are, or on none where that fails. */
  constructor(descriptor: Descriptor, family: IpFamily, request: Omit<GroupRequest, "index">) {
    requireDescriptor(descriptor, "joinMulticast makes memberships");
    this.#descriptor = descriptor;
    this.#family = family;
    this.#request = request;
    this.group = formatHost(request.group);
    try {
      this.#following = followInterfaces((change) => this.#follow(change));
    } catch (error) {
      this.#leaveAll();
      throw error;
    }
    const { beforeClose } = descriptor;
    descriptor.beforeClose = (closing) => {
      beforeClose?.(closing);
      this.#stop();
    };
  }

  /** The indexes of the interfaces on which the group is joined now. */
  get interfaces(): number[] {
    requireInterfaces();
    return this.#indexes();
  }

  #indexes(): number[] {
    return [...this.#joined.keys()].sort((one, other) => one - other);
  }

  /** Why the last interface that came later could not be joined; undefined where it could. */
  get error(): SocketError | undefined {
    return this.#error;
  }

  leave(): Promise<void> {
    return Promise.try(() => this.#leave());
  }

  setLoopback(loopback: boolean): Promise<void> {
    return Promise.try(() => setLoopback(this.#descriptor.fd, this.#family, loopback));
  }

  setTTL(ttl: number): Promise<void> {
    return Promise.try(() => setMulticastHops(this.#descriptor.fd, this.#family, ttl));
  }

  blockSource(source: string): void {
    this.#filter("block", source);
    this.#blocked.add(source);
  }

  unblockSource(source: string): void {
    this.#filter("unblock", source);
    this.#blocked.delete(source);
  }

  [Symbol.dispose](): void {
    if (this.#following !== null) this.#leave();
  }

  #follow({ type, interface: one }: InterfaceChange): void {
    const joined = this.#joined.has(one.index);
    const possible = this.#request.group.family === "inet" || one.mtu >= LEAST_IPV6_MTU;
    if (joined && (type === "removed" || !possible)) return this.#forget(one.index);
    if (joined || type === "removed" || !possible || !one.up || !one.multicast) return;
    // Whoever joins wants to know. No caller waits for what comes later.
    if (this.#following === null) return this.#join(one);
    try {
      this.#join(one);
      this.#error = undefined;
    } catch (error) {
      if (!isSocketError(error)) throw error;
      // The interface may have gone again; if not, `error` says why it is silent.
      if (error.code !== "ENODEV") this.#error = error;
    }
  }

  #join({ index, name }: NetworkInterface): void {
    let membership: Membership;
    try {
      membership = new Membership(this.#descriptor, this.#family, { ...this.#request, index });
    } catch (error) {
      if (isSocketError(error)) error.message += `; on interface ${name}, after ${this.#joined.size} others`;
      throw error;
    }
    this.#joined.set(index, membership);
    for (const source of this.#blocked) membership.blockSource(source);
  }

  /** The interface has gone. The socket's memberships still count the group until it is left there too. */
  #forget(index: number): void {
    const membership = this.#joined.get(index)!;
    this.#joined.delete(index);
    try {
      membership[Symbol.dispose]();
    } catch {
      // The system has dropped it already.
    }
  }

  /** Blocks or unblocks on all interfaces, or on none. */
  #filter(verb: "block" | "unblock", source: string): void {
    parseFiltered(verb, source, { ...this.#request, index: 0 });
    const blocking = verb === "block";
    if (this.#blocked.has(source) === blocking) {
      const state = blocking ? "already" : "not";
      throw systemError(this.#notAvailable, "setsockopt", `${verb} ${source}`, `the source is ${state} blocked`);
    }
    const done: Membership[] = [];
    try {
      for (const membership of this.#joined.values()) {
        membership[blocking ? "blockSource" : "unblockSource"](source);
        done.push(membership);
      }
    } catch (error) {
      for (const membership of done) membership[blocking ? "unblockSource" : "blockSource"](source);
      throw error;
    }
  }

  #leave(): void {
    void this.#descriptor.fd;
    if (this.#following === null) {
      throw systemError(this.#notAvailable, "setsockopt", this.group, "this membership has been left");
    }
    this.#stop();
    this.#leaveAll();
  }

  #leaveAll(): void {
    for (const index of this.#indexes()) this.#forget(index);
  }

  #stop(): void {
    this.#following?.[Symbol.dispose]();
    this.#following = null;
  }

  get #notAvailable(): number {
    return libc().system.errors.EADDRNOTAVAIL!;
  }
}
