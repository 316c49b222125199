import { freebsd } from "../../ffi/libc/freebsd.ts";
import { linux_aarch64, linux_x86_64 } from "../../ffi/libc/linux.ts";
import { macos_aarch64, macos_x86_64 } from "../../ffi/libc/macos.ts";
import type { System } from "../../ffi/libc/system.ts";
import { type CmsghdrLayout, ControlCursor } from "../../ffi/struct/cmsg.ts";

export const linuxSystems: readonly System[] = [linux_x86_64, linux_aarch64];
export const macosSystems: readonly System[] = [macos_x86_64, macos_aarch64];
export const bsdSystems: readonly System[] = [...macosSystems, freebsd];
export const systems: readonly System[] = [...linuxSystems, ...bsdSystems];

/** What one system's bytes have to be, written out by hand; aarch64 shares with x86_64 where the headers do. */
export function bySystem<T>(expected: { linux: T; macos: T; freebsd: T }): readonly [System, T][] {
  return [
    ...linuxSystems.map((system): [System, T] => [system, expected.linux]),
    ...macosSystems.map((system): [System, T] => [system, expected.macos]),
    [freebsd, expected.freebsd],
  ];
}

/** Bytes written in hexadecimal, spaces for the eye; "00*8" is eight of them. */
export function hex(text: string): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  for (const word of text.trim().split(/\s+/)) {
    const [digits, times] = word.split("*");
    for (let count = Number(times ?? 1); count > 0; count--) {
      for (const pair of digits!.match(/../g) ?? []) bytes.push(parseInt(pair, 16));
    }
  }
  return new Uint8Array(bytes);
}

/** Memory as it is found: whatever a writer leaves out shows. */
export function dirty(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).fill(0xee);
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** One control message; `data` is a view of the buffer it was read from. */
export interface ControlMessage {
  level: number;
  type: number;
  data: Uint8Array;
}

/** Yields what a ControlCursor finds in the first `length` bytes of a buffer. */
export function* readControlMessages(
  layout: CmsghdrLayout,
  source: Uint8Array,
  length: number,
): Generator<ControlMessage, void, undefined> {
  const cursor = new ControlCursor(layout, source);
  cursor.begin(0, length);
  while (cursor.next()) yield { level: cursor.level, type: cursor.type, data: cursor.data };
}
