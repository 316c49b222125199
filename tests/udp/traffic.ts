/**
 * Traffic by the million, in windows that no receive buffer drops: every way to send and every way to receive, with datagrams that tell by
 * themselves whether they are whole.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { DatagramBatch, type UdpSocket } from "../../mod.ts";

/** Bytes of a datagram: its number, a checksum over the rest, and noise. */
export const SIZE = 64;

/** Datagrams under way at a time. A default receive buffer holds twice as many. */
export const WINDOW = 128;

/** Sends a window: `count` datagrams of `size` bytes, the last perhaps shorter, that stand in `memory` one after the other. */
export type Send = (
  socket: UdpSocket,
  memory: Uint8Array<ArrayBuffer>,
  size: number,
  to: Deno.NetAddr,
) => Promise<void>;

/** Called with each datagram. */
export type Take = (data: Uint8Array, from: Deno.NetAddr) => void;

/** Receives `count` datagrams. */
export type Receive = (socket: UdpSocket, count: number, take: Take) => Promise<void>;

function* cut(memory: Uint8Array<ArrayBuffer>, size: number): Generator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < memory.length || at === 0; at += size || 1) yield memory.subarray(at, at + size);
}

/** Every way to send. */
export const SENDS: Readonly<Record<string, Send>> = {
  async send(socket, memory, size, to) {
    for (const data of cut(memory, size)) assertEquals(await socket.send(data, to), data.length);
  },
  async sendMany(socket, memory, size, to) {
    const datagrams = Array.from(cut(memory, size), (data) => ({ data, addr: to }));
    assertEquals(await socket.sendMany(datagrams), datagrams.length);
  },
  async sendSegments(socket, memory, size, to) {
    if (size === 0) await socket.send(memory, to);
    else assertEquals(await socket.sendSegments(memory, size, to), memory.length);
  },
};

const buffer = new Uint8Array(65_507);
const batch = new DatagramBatch({ maxLength: 65_507, capacity: WINDOW });

/** Every way to receive. */
export const RECEIVES: Readonly<Record<string, Receive>> = {
  async "receive(buffer)"(socket, count, take) {
    while (count-- > 0) take(...await socket.receive(buffer));
  },
  async "receive()"(socket, count, take) {
    while (count-- > 0) take(...await socket.receive());
  },
  async receiveMessage(socket, count, take) {
    while (count-- > 0) {
      const { data, addr, truncated } = await socket.receiveMessage();
      assertEquals(truncated, false);
      take(data, addr);
    }
  },
  async receiveMany(socket, count, take) {
    while (count > 0) {
      count -= await socket.receiveMany(batch);
      for (let index = 0; index < batch.length; index++) take(batch.data(index), batch.addr(index));
    }
    assertEquals(count, 0, "More came than was sent");
  },
};

/** FNV-1a over the 32-bit words of a datagram, without its checksum. */
function checksum(view: DataView, offset: number): number {
  let sum = 0x811c9dc5 ^ view.getUint32(offset);
  for (let at = 8; at < SIZE; at += 4) sum = Math.imul(sum ^ view.getUint32(offset + at), 0x01000193);
  return sum >>> 0;
}

/** Writes datagrams one behind the other, numbered from `first` on. */
export function write(memory: Uint8Array<ArrayBuffer>, first: number): void {
  const view = new DataView(memory.buffer, memory.byteOffset, memory.length);
  for (let at = 0, number = first; at < memory.length; at += SIZE, number++) {
    view.setUint32(at, number);
    for (let noise = 8, word = number; noise < SIZE; noise += 4) {
      word = Math.imul(word ^ (word >>> 13), 0x5bd1e995) + noise;
      view.setUint32(at + noise, word);
    }
    view.setUint32(at + 4, checksum(view, at));
  }
}

/** Throws for a datagram that is not the whole of the one with this number. Quicker than assertions, which a million of take their time. */
export function check(data: Uint8Array, number: number): void {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  if (data.length !== SIZE) throw new Error(`${data.length} bytes instead of datagram ${number}`);
  if (view.getUint32(0) !== number) throw new Error(`Datagram ${view.getUint32(0)} instead of ${number}`);
  if (view.getUint32(4) !== checksum(view, 0)) throw new Error(`Datagram ${number} is damaged`);
}
