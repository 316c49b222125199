/** Conversion of IP addresses between text and bytes in network order, as inet_pton(3) and inet_ntop(3) do it. */

const DOT = 0x2e;
const COLON = 0x3a;
const DIGIT_0 = 0x30;

// The sender of every datagram is formatted, and a table lookup is twice as fast as String(octet).
const OCTETS: readonly string[] = Array.from({ length: 256 }, (_, octet) => String(octet));

/** Parses a dotted quad as inet_pton(3) does with AF_INET. Returns null for anything else. */
export function parseIPv4(text: string): Uint8Array<ArrayBuffer> | null {
  const bytes = new Uint8Array(4);
  return readDottedQuad(text, 0, text.length, bytes, 0) ? bytes : null;
}

/** Parses an IPv6 address with an optional zone (RFC 4291, RFC 4007); `zone` is "" without one. Returns null for
 * anything else. */
export function parseIPv6(text: string): { bytes: Uint8Array<ArrayBuffer>; zone: string } | null {
  const percent = text.indexOf("%");
  const end = percent < 0 ? text.length : percent;
  const zone = percent < 0 ? "" : text.slice(percent + 1);
  // An interface name cannot contain these characters, and a NUL would truncate the C string.
  if (percent >= 0 && !/^[^\s\0%]+$/.test(zone)) return null;

  const bytes = new Uint8Array(16);
  let written = 0;
  let gap = -1;
  let position = 0;
  if (text.startsWith("::")) {
    gap = 0;
    position = 2;
  }
  while (position < end) {
    if (written === 16) return null;
    const start = position;
    let group = 0;
    let digit = hexDigit(text, position, end);
    while (digit >= 0 && position - start < 4) {
      group = group * 16 + digit;
      digit = hexDigit(text, ++position, end);
    }
    if (position === start) return null;
    if (position < end && text.charCodeAt(position) === DOT) {
      if (written > 12 || !readDottedQuad(text, start, end, bytes, written)) return null;
      written += 4;
      break;
    }
    bytes[written++] = group >> 8;
    bytes[written++] = group & 0xff;
    if (position === end) break;
    if (text.charCodeAt(position++) !== COLON) return null;
    if (position === end) return null;
    if (text.charCodeAt(position) === COLON) {
      if (gap >= 0) return null;
      gap = written;
      position++;
    }
  }
  if (gap < 0) return written === 16 ? { bytes, zone } : null;
  // "::" stands for at least one group of zeros.
  if (written === 16) return null;
  bytes.copyWithin(16 - (written - gap), gap, written);
  bytes.fill(0, gap, 16 - (written - gap));
  return { bytes, zone };
}

/** Formats the IPv4 address at `offset` as inet_ntop(3) does with AF_INET. */
export function formatIPv4(bytes: Uint8Array, offset = 0): string {
  return OCTETS[bytes[offset]!]! + "." + OCTETS[bytes[offset + 1]!]! + "." + OCTETS[bytes[offset + 2]!]! + "." +
    OCTETS[bytes[offset + 3]!]!;
}

/** Formats the IPv6 address at `offset` as inet_ntop(3) does with AF_INET6, in the form of RFC 5952. */
export function formatIPv6(bytes: Uint8Array, offset = 0): string {
  let gap = -1;
  let gapLength = 1;
  for (let group = 0; group < 8; group++) {
    const start = group;
    while (group < 8 && groupAt(bytes, offset, group) === 0) group++;
    if (group - start > gapLength) {
      gap = start;
      gapLength = group - start;
    }
  }
  if (gapLength === 5 && groupAt(bytes, offset, 5) === 0xffff) {
    return "::ffff:" + formatIPv4(bytes, offset + 12);
  }
  let text = "";
  for (let group = 0; group < 8; group++) {
    if (group === gap) {
      text += "::";
      group += gapLength - 1;
      continue;
    }
    if (group > 0 && group !== gap + gapLength) text += ":";
    text += groupAt(bytes, offset, group).toString(16);
  }
  return text;
}

/** True within 224.0.0.0/4, as IN_MULTICAST of <netinet/in.h>. */
export function isMulticastIPv4(bytes: Uint8Array): boolean {
  return (bytes[0]! & 0xf0) === 0xe0;
}

/** True within ff00::/8, as IN6_IS_ADDR_MULTICAST of <netinet/in.h>. */
export function isMulticastIPv6(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff;
}

/** True for an IPv4 address mapped to IPv6, ::ffff:a.b.c.d, as IN6_IS_ADDR_V4MAPPED of <netinet/in.h>. */
export function isMapped(bytes: Uint8Array): boolean {
  return bytes.length === 16 && bytes[10] === 0xff && bytes[11] === 0xff &&
    bytes.subarray(0, 10).every((byte) => byte === 0);
}

/** True for 0.0.0.0 and ::, as IN6_IS_ADDR_UNSPECIFIED of <netinet/in.h>. */
export function isUnspecified(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

/** Parses text[start..end) into four bytes. Leading zeros are refused: inet_aton(3) reads such a number as octal. */
function readDottedQuad(text: string, start: number, end: number, target: Uint8Array, offset: number): boolean {
  let position = start;
  for (let index = 0; index < 4; index++) {
    if (index > 0 && (position >= end || text.charCodeAt(position++) !== DOT)) return false;
    const first = position;
    let octet = 0;
    while (position < end && position - first < 3) {
      const digit = text.charCodeAt(position) - DIGIT_0;
      if (digit < 0 || digit > 9) break;
      octet = octet * 10 + digit;
      position++;
    }
    if (position === first || octet > 255) return false;
    if (position - first > 1 && text.charCodeAt(first) === DIGIT_0) return false;
    target[offset + index] = octet;
  }
  return position === end;
}

function hexDigit(text: string, position: number, end: number): number {
  if (position >= end) return -1;
  const code = text.charCodeAt(position);
  if (code >= DIGIT_0 && code <= 0x39) return code - DIGIT_0;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function groupAt(bytes: Uint8Array, offset: number, group: number): number {
  return (bytes[offset + group * 2]! << 8) | bytes[offset + group * 2 + 1]!;
}
