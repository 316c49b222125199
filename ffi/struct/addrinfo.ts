/** struct addrinfo: getaddrinfo(3), <netdb.h>. */

import type { System } from "../libc/system.ts";
import { structView } from "./view.ts";

/** The part of a system's table that getaddrinfo(3) results depend on. */
export type AddrinfoSystem = Pick<System, "layout">;

/** The decoded members of a struct addrinfo. A NULL pointer is 0n. */
export type Addrinfo = {
  family: number;
  addrlen: number;
  addr: bigint;
  next: bigint;
};

/** Encodes the hints argument of getaddrinfo(3). All other members are zero. */
export function encodeAddrinfoHints(
  system: AddrinfoSystem,
  hints: { flags: number; family: number; socktype: number },
): Uint8Array<ArrayBuffer> {
  const { addrinfo } = system.layout;
  const bytes = new Uint8Array(addrinfo.size);
  const view = new DataView(bytes.buffer);
  view.setInt32(addrinfo.flags, hints.flags, true);
  view.setInt32(addrinfo.family, hints.family, true);
  view.setInt32(addrinfo.socktype, hints.socktype, true);
  return bytes;
}

/** Decodes one struct addrinfo of the list that getaddrinfo(3) returns. */
export function readAddrinfo(system: AddrinfoSystem, bytes: Uint8Array): Addrinfo {
  const { addrinfo } = system.layout;
  const view = structView("struct addrinfo", bytes, addrinfo.size);
  return {
    family: view.getInt32(addrinfo.family, true),
    addrlen: view.getUint32(addrinfo.addrlen, true),
    addr: view.getBigUint64(addrinfo.addr, true),
    next: view.getBigUint64(addrinfo.next, true),
  };
}
