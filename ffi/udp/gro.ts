import type { Datagram } from "./datagram.ts";
import { libc } from "../libc/libc.ts";
import { ControlCursor } from "../struct/cmsg.ts";
import { setControlLength } from "../struct/msghdr.ts";
import { readDetails, segmentSize } from "./packet_info.ts";
import { decodeNet } from "../address/address.ts";
import type { ReceivingMessage } from "../io/message.ts";

/** One datagram of a coalesced message. */
export interface Piece {
  readonly data: Uint8Array<ArrayBuffer>;
  readonly addr: Deno.NetAddr;
}

/** The rest of a coalesced message of several datagrams, for receives that return one datagram at a time. */
export class Coalesced {
  readonly #data: Uint8Array<ArrayBuffer>;
  /** Length of a datagram in bytes; the last one can be shorter. */
  readonly segmentSize: number;
  /** The sender's sockaddr. */
  readonly name: Uint8Array<ArrayBuffer>;
  /** The control messages, which apply to all of the datagrams. */
  readonly control: Uint8Array<ArrayBuffer>;
  #offset = 0;

  constructor(data: Uint8Array<ArrayBuffer>, segmentSize: number, message: ReceivingMessage) {
    this.#data = data;
    this.segmentSize = segmentSize;
    this.name = message.name.slice(0, message.nameLength);
    this.control = message.control.slice(0, message.controlLength);
  }

  get empty(): boolean {
    return this.#offset >= this.#data.length;
  }

  /** The next datagram, without removing it. */
  first(): Piece {
    return {
      data: this.#data.subarray(this.#offset, this.#offset + this.segmentSize),
      addr: decodeNet("udp", this.name),
    };
  }

  /** Removes and returns the next datagram, in memory of its own. */
  next(): Piece {
    const data = this.#data.subarray(this.#offset, this.#offset += this.segmentSize);
    return { data, addr: decodeNet("udp", this.name) };
  }

  /** Removes and returns all remaining datagrams, still coalesced. */
  takeAll(): Uint8Array<ArrayBuffer> {
    const rest = this.#data.subarray(this.#offset);
    this.#offset = this.#data.length;
    return rest;
  }

  /** Writes the length of the control messages into a message header. */
  writeHeader(view: DataView, offset: number): void {
    setControlLength(libc().system.layout, view, offset, this.control.length);
  }

  /** The details from the control messages. */
  details(): Omit<Datagram, "data" | "addr" | "truncated"> {
    return readDetails(new ControlCursor(libc().system.layout, this.control), 0, this.control.length, this.name);
  }
}

/** Returns the length in bytes of the datagrams of the message just received, or 0 if it is a single datagram. */
export function coalescedSize(message: ReceivingMessage, length: number): number {
  const size = segmentSize(message.cursor, 0, message.controlLength);
  return size > 0 && size < length ? size : 0;
}
