import { requireFits } from "./datagram.ts";
import { type Outgoing, readDatagram, requireList, type SendControl, SendingDatagram, SendingMany } from "./send.ts";
import { SendingParts } from "./send_parts.ts";
import { type SegmentOffload, SendingSegments } from "./send_segments.ts";
import {
  encodeSource,
  type OutgoingDatagram,
  readSource,
  SEND_OPTIONS,
  type SendOptions,
  type Source,
} from "./source.ts";
import { decodeInet } from "../address/address.ts";
import { isBytes, lengthOf, refusedBytes, requireBytes } from "../validate/bytes.ts";
import { asOneMessage, partsOf, totalLength } from "../io/gather.ts";
import type { Descriptor } from "../io/descriptor.ts";
import type { Destination, Destinations, Lookup } from "./destinations.ts";
import { type IpFamily, LONGEST_PAYLOAD, packetFamily } from "./families.ts";
import type { SideWait } from "../io/side_waits.ts";
import type { WaitOptions } from "../validate/options.ts";
import { copyOptions, signalOf } from "../validate/options.ts";
import { quote } from "../validate/quote.ts";
import { located } from "../validate/locate.ts";
import { peerName } from "../address/sockname.ts";

/** The sending side of a UDP socket, from a caller's arguments to operations in the queue of writes. */
export class Sender {
  readonly #descriptor: Descriptor;
  readonly #family: IpFamily;
  readonly #destinations: Destinations;
  readonly #offload: SegmentOffload = { refusedFrom: Infinity };
  /** Whether a datagram without an address has somewhere to go. */
  connected = false;

  constructor(descriptor: Descriptor, family: IpFamily, destinations: Destinations) {
    this.#descriptor = descriptor;
    this.#family = family;
    this.#destinations = destinations;
  }

  send(p: Uint8Array | readonly Uint8Array[], addr?: Deno.NetAddr, options?: SendOptions): Promise<number> {
    const several = Array.isArray(p);
    const refusal = (several ? null : refusedBytes(p)) ?? this.#descriptor.refusal();
    if (refusal !== null) return Promise.reject(refusal);
    try {
      const data = several ? asOneMessage(partsOf(p)) : p as Uint8Array;
      const asked = options === undefined ? undefined : copyOptions(options, SEND_OPTIONS);
      const source = asked === undefined ? null : readSource(asked);
      const to = this.#destination(addr);
      const wait = asked?.signal ? { signal: asked.signal } : undefined;
      if (to !== null && "run" in to) return this.#sendLater(data, to, source, wait);
      return this.#send(data, to, source, wait);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async sendMany(
    datagrams: readonly OutgoingDatagram[],
    options?: WaitOptions,
  ): Promise<number> {
    const signal = signalOf(options);
    const outgoing: Outgoing[] = [];
    try {
      requireList(datagrams);
      // All are checked before the first name is looked up.
      const prepared = Array.from(datagrams, (datagram, index) => this.#prepare(datagram, index));
      for (const [index, { data, to, source }] of prepared.entries()) {
        const isName = to !== null && "run" in to;
        const found = isName ? await this.#resolved(data, to, index, source, options) : to;
        outgoing.push({ data, to: found, control: this.#control(found, source) });
      }
      const refusal = this.#descriptor.refusal();
      if (refusal !== null) throw refusal;
    } catch (error) {
      // The reason of a signal is the caller's own.
      if (signal?.aborted === true && error === signal.reason) throw error;
      throw error instanceof Error ? Object.assign(error, { sent: 0 }) : error;
    }
    const sending = new SendingMany(this.#descriptor, outgoing, this.connected);
    return await this.#descriptor.writes.run(sending, options);
  }

  async sendSegments(
    p: Uint8Array,
    segmentSize: number,
    addr?: Deno.NetAddr,
    options?: SendOptions,
  ): Promise<number> {
    requireBytes(p);
    const asked = options === undefined ? undefined : copyOptions(options, SEND_OPTIONS);
    const source = asked === undefined ? null : readSource(asked);
    const wait = asked?.signal ? { signal: asked.signal } : undefined;
    const to = this.#destination(addr);
    let found: Destination | null;
    if (to !== null && "run" in to) {
      requireSegmentSize(segmentSize, "inet6");
      found = await this.#lookUp(to, wait);
    } else {
      // Without a host name this must not await, to keep its place among other sends.
      found = to;
    }
    requireSegmentSize(segmentSize, this.#packets(found));
    const control = this.#control(found, source);
    const sending = new SendingSegments(this.#descriptor, p, segmentSize, found, this.#offload, control);
    return await this.#descriptor.writes.run(sending, wait);
  }

  /** Returns the destination of a datagram: null for the connected peer, a lookup for a host name. */
  #destination(addr: Deno.NetAddr | undefined): Destination | Lookup | null {
    if (addr !== undefined) return this.#destinations.find(addr);
    if (this.connected) return null;
    throw new TypeError("No address given, and the socket is not connected; pass an address or call connect() first");
  }

  /** The family of the packets to a destination, null for the connected peer. */
  #packets(to: Destination | null): IpFamily {
    if (to !== null) return to.packets;
    const peer = peerName(this.#descriptor.fd);
    const address = peer === null ? null : decodeInet(peer);
    return address === null ? this.#family : packetFamily(address);
  }

  #send(
    p: Uint8Array | readonly Uint8Array[],
    to: Destination | null,
    source: Source | null,
    options: WaitOptions | undefined,
  ): Promise<number> {
    this.#requireFits(p, to);
    const control = this.#control(to, source);
    const sending = isBytes(p)
      ? new SendingDatagram(this.#descriptor, p, to, control)
      : new SendingParts(this.#descriptor, p, to, control);
    return this.#descriptor.writes.run(sending, options);
  }

  #control(to: Destination | null, source: Source | null): SendControl | null {
    if (source === null) return null;
    return { bytes: encodeSource(this.#family, this.#packets(to), source), source };
  }

  async #sendLater(
    p: Uint8Array | readonly Uint8Array[],
    to: Lookup,
    source: Source | null,
    options: WaitOptions | undefined,
  ): Promise<number> {
    return await this.#send(p, await this.#lookUp(to, options), source, options);
  }

  /** Resolves a host name as a step of the send that it is for. */
  #lookUp(to: Lookup, options: WaitOptions | undefined): Promise<Destination> {
    const wait: SideWait = { syscall: "sendmsg", address: to.text };
    return this.#descriptor.writes.runAside(wait, options, (signal) => to.run(signal));
  }

  /** Checks one datagram of a list. Its errors name its index. */
  #prepare(
    datagram: unknown,
    index: number,
  ): { data: Uint8Array; to: Destination | Lookup | null; source: Source | null } {
    try {
      const { data, addr, source } = readDatagram(datagram);
      const to = this.#destination(addr);
      if (to === null || !("run" in to)) {
        this.#requireFits(data, to);
        this.#control(to, source);
      }
      return { data, to, source };
    } catch (error) {
      throw located(`datagrams[${index}]`, error);
    }
  }

  async #resolved(
    data: Uint8Array,
    to: Lookup,
    index: number,
    source: Source | null,
    options: WaitOptions | undefined,
  ): Promise<Destination> {
    try {
      const found = await this.#lookUp(to, options);
      this.#requireFits(data, found);
      this.#control(found, source);
      return found;
    } catch (error) {
      // A deadline, a signal and close end the whole list.
      const isAbout = [Deno.errors.NotFound, Deno.errors.NotSupported, RangeError, TypeError].some((kind) =>
        error instanceof kind
      );
      throw isAbout ? located(`datagrams[${index}]`, error) : error;
    }
  }

  #requireFits(data: Uint8Array | readonly Uint8Array[], to: Destination | null): void {
    const length = isBytes(data) ? lengthOf(data) : totalLength(data);
    if (length > LONGEST_PAYLOAD.inet) requireFits(length, this.#packets(to));
  }
}

function requireSegmentSize(segmentSize: number, packets: IpFamily): void {
  const longest = LONGEST_PAYLOAD[packets];
  if (Number.isInteger(segmentSize) && segmentSize >= 1 && segmentSize <= longest) return;
  throw new RangeError(`Invalid segmentSize: ${quote(segmentSize)}, expected 1 to ${longest} bytes`);
}
