import type { Datagram } from "./datagram.ts";
import { libc } from "../libc/libc.ts";
import { ControlCursor } from "../struct/cmsg.ts";
import { setControlLength } from "../struct/msghdr.ts";
import { readDetails, segmentSize } from "./packet_info.ts";
import { decodeNet } from "../address/address.ts";
import type { ReceivingMessage } from "../io/message.ts";

/** A datagram that was taken out of a message. */
export interface Piece {
  readonly data: Uint8Array<ArrayBuffer>;
  readonly addr: Deno.NetAddr;
}

/** What is left of a message that held several datagrams, for receives that give one at a time. */
export class Coalesced {
  readonly #data: Uint8Array<ArrayBuffer>;
  /** Bytes of a datagram, of the last perhaps fewer. */
  readonly size: number;
  /** The sender's sockaddr. */
  readonly name: Uint8Array<ArrayBuffer>;
  /** The control messages, which hold for all of them. */
  readonly control: Uint8Array<ArrayBuffer>;
  #offset = 0;

  constructor(data: Uint8Array<ArrayBuffer>, size: number, message: ReceivingMessage) {
    this.#data = data;
    this.size = size;
    this.name = message.name.slice(0, message.nameLength);
    this.control = message.control.slice(0, message.controlLength);
  }

  get empty(): boolean {
    return this.#offset >= this.#data.length;
  }

  /** The next datagram, in memory that is its own. */
  next(): Piece {
    const data = this.#data.subarray(this.#offset, this.#offset += this.size);
    return { data, addr: decodeNet("udp", this.name) };
  }

  /** All that is left, still as one. */
  takeAll(): Uint8Array<ArrayBuffer> {
    const rest = this.#data.subarray(this.#offset);
    this.#offset = this.#data.length;
    return rest;
  }

  /** Says in a message's header how long the control messages are. */
  writeHeader(view: DataView, offset: number): void {
    setControlLength(libc().system.layout, view, offset, this.control.length);
  }

  /** What the control messages say. */
  details(): Omit<Datagram, "data" | "addr" | "truncated"> {
    return readDetails(new ControlCursor(libc().system.layout, this.control), 0, this.control.length);
  }
}

/** The size of the datagrams in the message just received; 0 where it is one. */
export function coalescedSize(message: ReceivingMessage, length: number): number {
  const size = segmentSize(message.cursor, 0, message.controlLength);
  return size > 0 && size < length ? size : 0;
}
