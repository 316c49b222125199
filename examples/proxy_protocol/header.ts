/**
 * The PROXY protocol, versions 1 and 2, as HAProxy specifies it: what a proxy writes at the beginning of a connection about
 * the connection that it stands for.
 *
 * @module
 */

/** A header at the beginning of a stream. */
export interface Header {
  /** Bytes that it takes. What follows is the client's. */
  length: number;
  /** Where the client is and what it had dialled; null where the proxy speaks for itself, as in a health check. */
  about: { client: string; server: string } | null;
}

/** What the bytes so far are: a header, the beginning of one of at least `atLeast` bytes, or neither. */
export type Reading = { header: Header } | { atLeast: number } | { error: string };

const SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
const V2_HEAD = 16;

/** The longest header of version 1, with its line end. */
const V1_MOST = 107;

/** The longest header that is accepted: addresses, and what a proxy says besides. */
export const MOST = 4096;

/** Address families of version 2: the length of an address, for TCP and for UDP. */
const ADDRESS_LENGTHS: Readonly<Record<number, number>> = { 0x11: 4, 0x12: 4, 0x21: 16, 0x22: 16 };

/** Reads the first bytes of a connection. */
export function readHeader(bytes: Uint8Array): Reading {
  const first = bytes[0];
  if (first === SIGNATURE[0]) return readV2(bytes);
  if (first === 0x50) return readV1(bytes);
  return { error: "no PROXY header" };
}

/** "PROXY TCP4 192.0.2.7 192.0.2.1 56324 443\r\n", or "PROXY UNKNOWN …\r\n". */
function readV1(bytes: Uint8Array): Reading {
  const text = new TextDecoder("latin1").decode(bytes.subarray(0, V1_MOST));
  const end = text.indexOf("\r\n");
  if (!"PROXY ".startsWith(text.slice(0, 6))) return { error: "no PROXY header" };
  if (end === -1) {
    return text.length >= V1_MOST ? { error: "a version 1 header without an end" } : { atLeast: bytes.length + 1 };
  }
  const length = end + 2;
  const [, family, source, destination, sourcePort, destinationPort, ...rest] = text.slice(0, end).split(" ");
  if (family === "UNKNOWN") return { header: { length, about: null } };
  const wrong = (family !== "TCP4" && family !== "TCP6") || rest.length > 0 ||
    ![source, destination].every((address) => isAddress(address, family)) ||
    ![sourcePort, destinationPort].every(isPort);
  if (wrong) return { error: `a version 1 header that cannot be: ${JSON.stringify(text.slice(0, end))}` };
  const about = { client: join(source!, Number(sourcePort)), server: join(destination!, Number(destinationPort)) };
  return { header: { length, about } };
}

function isAddress(text: string | undefined, family: string): boolean {
  return text !== undefined && (family === "TCP4" ? /^\d{1,3}(\.\d{1,3}){3}$/ : /^[0-9a-fA-F:.]{2,45}$/).test(text);
}

function isPort(text: string | undefined): boolean {
  return text !== undefined && /^\d{1,5}$/.test(text) && Number(text) <= 65_535;
}

/** The signature, version and command, family, length, addresses, and then what a proxy says besides. */
function readV2(bytes: Uint8Array): Reading {
  if (!bytes.subarray(0, SIGNATURE.length).every((byte, index) => byte === SIGNATURE[index])) {
    return { error: "no PROXY header" };
  }
  if (bytes.length < V2_HEAD) return { atLeast: V2_HEAD };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [version, command, family] = [bytes[12]! >> 4, bytes[12]! & 15, bytes[13]!];
  const length = V2_HEAD + view.getUint16(14);
  if (version !== 2 || command > 1) return { error: `a header of version ${version} with command ${command}` };
  if (length > MOST) return { error: `a header of ${length} bytes` };
  if (bytes.length < length) return { atLeast: length };
  const size = ADDRESS_LENGTHS[family];
  if (command === 0 || size === undefined) return { header: { length, about: null } };
  if (length < V2_HEAD + 2 * size + 4) return { error: `a header of ${length} bytes, too short for its addresses` };
  const ports = V2_HEAD + 2 * size;
  const client = join(format(bytes.subarray(V2_HEAD, V2_HEAD + size)), view.getUint16(ports));
  const server = join(format(bytes.subarray(V2_HEAD + size, ports)), view.getUint16(ports + 2));
  return { header: { length, about: { client, server } } };
}

function format(address: Uint8Array): string {
  if (address.length === 4) return address.join(".");
  const groups = Array.from({ length: 8 }, (_, group) => (address[group * 2]! << 8) | address[group * 2 + 1]!);
  // A URL writes IPv6 addresses as RFC 5952 says.
  return new URL(`http://[${groups.map((group) => group.toString(16)).join(":")}]`).hostname.slice(1, -1);
}

function join(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
