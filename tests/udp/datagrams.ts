/**
 * Datagrams of tests that send many: bytes that tell one from another, and receives until all are there.
 *
 * @module
 */
import { DatagramBatch, type UdpSocket } from "../../mod.ts";
import { bytes, text } from "../support/bytes.ts";
import { linuxTable } from "../support/systems.ts";

/** One that was received, in memory of its own. */
export interface Received {
  data: Uint8Array<ArrayBuffer>;
  addr: Deno.NetAddr;
  truncated: boolean;
}

/** Whether many datagrams are moved by one call here: `deno task test:plain` switches that off. */
export const VECTORED = linuxTable && Deno.env.get("BERKELEY_MMSG") !== "off";

/** Sends texts, all of them before anything else can happen. */
export async function say(sender: UdpSocket, receiver: UdpSocket, ...texts: string[]): Promise<void> {
  await Promise.all(texts.map((one) => sender.send(bytes(one), receiver.addr)));
}

/** What a batch holds, as texts. */
export function texts(batch: DatagramBatch): string[] {
  return Array.from(batch, ({ data }) => text(data));
}

/** The first byte of each: datagrams that are numbered so. */
export function numbers(datagrams: Iterable<{ data: Uint8Array }>): number[] {
  return Array.from(datagrams, ({ data }) => data[0]!);
}

/** Takes `count` datagrams by receiveMany, as many calls as it needs. */
export async function receiveAll(
  socket: UdpSocket,
  count: number,
  batch: DatagramBatch = new DatagramBatch(),
): Promise<Received[]> {
  const received: Received[] = [];
  while (received.length < count) {
    await socket.receiveMany(batch);
    for (const { data, addr, truncated } of batch) received.push({ data: data.slice(), addr, truncated });
  }
  return received;
}

/** The pieces that one buffer is sent as. */
export function pieces(p: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer>[] {
  return Array.from({ length: Math.ceil(p.length / size) }, (_, index) => p.slice(index * size, (index + 1) * size));
}
