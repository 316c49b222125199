/**
 * DNS messages by hand, and a client that sends them.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { listenDatagram, type UdpSocket } from "../../mod.ts";

/** Types of records, and codes of answers. */
export const [A, AAAA, TXT] = [1, 28, 16] as const;
export const [NO_ERROR, FORMAT_ERROR, SERVER_FAILURE, NAME_ERROR, NOT_IMPLEMENTED] = [0, 1, 2, 3, 4] as const;

/** How long an answer may take, in milliseconds: a hang should end with an error. */
export const TIMEOUT_MS = 30_000;

/** A query with recursion desired. */
export function query(id: number, name: string, type: number): Uint8Array<ArrayBuffer> {
  const labels = name.split(".").flatMap((label) => [label.length, ...new TextEncoder().encode(label)]);
  return Uint8Array.from([id >> 8, id & 0xff, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, type, 0, 1]);
}

/** Opens a socket that receives only from that address. */
export function client(hostname: string, port: number): UdpSocket {
  const socket = listenDatagram({ transport: "udp", hostname: hostname.includes(":") ? "::1" : "127.0.0.1" });
  socket.connect({ transport: "udp", hostname, port });
  socket.setDeadline(new Date(Date.now() + TIMEOUT_MS));
  return socket;
}

/** Sends a message from a socket of its own and resolves to the answer. */
export async function ask(hostname: string, port: number, message: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  using socket = client(hostname, port);
  await socket.send(message);
  return (await socket.receive())[0];
}

/** What an answer says: its code, and the data of its records behind the question, each 12 bytes after the last. */
export function read(answer: Uint8Array, question: Uint8Array): { code: number; records: string[]; cut: boolean } {
  const view = new DataView(answer.buffer, answer.byteOffset, answer.length);
  assertEquals([...answer.subarray(0, 2)], [...question.subarray(0, 2)]);
  assertEquals(view.getUint8(2) >> 7, 1, "It is no answer");
  const records: string[] = [];
  for (let at = question.length; records.length < view.getUint16(6);) {
    assertEquals(view.getUint16(at), 0xc00c);
    const length = view.getUint16(at + 10);
    records.push(`${view.getUint16(at + 2)} ${answer.subarray(at + 12, at + 12 + length).toHex()}`);
    at += 12 + length;
  }
  return { code: view.getUint8(3) & 15, records, cut: (view.getUint8(2) & 2) !== 0 };
}
