import { libc } from "../libc/libc.ts";
import { systemError } from "../libc/socket_error.ts";
import { IFADDRS_SIZE, readIfaddrs } from "../struct/ifaddrs.ts";
import { formatIPv4, parseIPv4 } from "../struct/ip.ts";
import { readFamily, SIN_ADDR } from "../struct/sockaddr.ts";
import { quote } from "../validate/quote.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** IF_NAMESIZE, with the NUL, on every supported system. */
const NAME_SIZE = 16;

/** The index of an interface by its name; 0 and the errno where there is none. */
function findName(name: string): { readonly index: number; readonly code: number } {
  const { c, errno, system } = libc();
  const bytes = encoder.encode(`${name}\0`);
  // C ends a name at a NUL, and would find another interface.
  const possible = bytes.length <= NAME_SIZE && bytes.indexOf(0) === bytes.length - 1;
  if (!possible) return { index: 0, code: system.errors.ENODEV! };
  const index = c.if_nametoindex(bytes);
  return { index, code: index === 0 ? errno() : 0 };
}

function unknownName(name: string, code: number): Error {
  const { ENODEV, ENXIO } = libc().system.errors;
  if (code !== ENODEV && code !== ENXIO) return systemError(code, "if_nametoindex", quote(name));
  // BSD reports ENXIO.
  const help = "expected a name, an index or an IPv4 address of this machine's";
  return systemError(ENODEV!, "if_nametoindex", quote(name), help);
}

/** The index of an interface by its name. */
function indexOfName(name: string): number {
  const { index, code } = findName(name);
  if (index !== 0) return index;
  throw unknownName(name, code);
}

/** The name of an interface; its index in digits where it no longer exists. */
export function interfaceName(index: number): string {
  const { c } = libc();
  const name = new Uint8Array(NAME_SIZE);
  return c.if_indextoname(index, name) === 0n ? String(index) : decoder.decode(name.subarray(0, name.indexOf(0)));
}

/** A zone of an IPv6 address, read as glibc does: the name of an interface, which may consist of digits, or else an
 * index. */
export function zoneIndex(zone: string): number {
  const { index, code } = findName(zone);
  if (index !== 0) return index;
  if (!/^\d+$/.test(zone)) throw unknownName(zone, code);
  const number = Number(zone);
  if (number <= 0xffff_ffff) return number;
  throw new RangeError(`Invalid zone: ${quote(zone)}, expected an index of 32 bits or a name`);
}

/** An IPv4 address of this machine, and the name of its interface. */
interface LocalIPv4 {
  readonly name: string;
  readonly address: Uint8Array<ArrayBuffer>;
}

/** Lists the IPv4 addresses of this machine: getifaddrs(3). */
function localIPv4(): LocalIPv4[] {
  const { c, errno, system } = libc();
  const head = new BigUint64Array(1);
  if (c.getifaddrs(head) === -1) throw systemError(errno(), "getifaddrs");
  const found: LocalIPv4[] = [];
  try {
    for (let at = head[0]!; at !== 0n;) {
      const { next, name, address } = readIfaddrs(libc().copyFrom(at, IFADDRS_SIZE));
      at = next;
      if (address === 0n || readFamily(system, libc().copyFrom(address, 2), 0) !== system.constants.AF_INET) continue;
      found.push({
        name: decoder.decode(libc().copyFrom(name, Number(c.strlen(name)))),
        address: libc().copyFrom(address, SIN_ADDR + 4).slice(SIN_ADDR),
      });
    }
  } finally {
    c.freeifaddrs(head[0]!);
  }
  return found;
}

/** The index of the interface that has an IPv4 address. */
function indexOfIPv4(wanted: string): number {
  const found = localIPv4().find(({ address }) => formatIPv4(address) === wanted);
  if (found !== undefined) return indexOfName(found.name);
  const { ENODEV } = libc().system.errors;
  throw systemError(ENODEV!, "getifaddrs", wanted, "no interface of this machine has that address");
}

/** The first IPv4 address of an interface. */
export function ipv4OfInterface(index: number): Uint8Array<ArrayBuffer> {
  const found = localIPv4().find(({ name }) => findName(name).index === index);
  if (found !== undefined) return found.address;
  const { EADDRNOTAVAIL } = libc().system.errors;
  throw systemError(EADDRNOTAVAIL!, "getifaddrs", interfaceName(index), "the interface has no IPv4 address");
}

/** The index of an interface, given by its name, its index or one of its IPv4 addresses. 0 is the system's choice. */
export function interfaceIndex(given: string | number | undefined): number {
  if (given === undefined) return 0;
  if (typeof given === "string" && given !== "") {
    const address = parseIPv4(given);
    if (address === null) return indexOfName(given);
    return address.every((byte) => byte === 0) ? 0 : indexOfIPv4(given);
  }
  if (typeof given !== "number" || !Number.isInteger(given) || given < 0 || given > 0x7fff_ffff) {
    throw new TypeError(`Invalid interface: ${quote(given)}, expected a name, an index or an IPv4 address`);
  }
  if (given !== 0) requireInterface(given);
  return given;
}

/** Whether an interface has this index: if_indextoname(3). */
export function interfaceExists(index: number): boolean {
  return libc().c.if_indextoname(index, new Uint8Array(NAME_SIZE)) !== 0n;
}

function requireInterface(index: number): void {
  if (interfaceExists(index)) return;
  throw systemError(libc().system.errors.ENODEV!, "if_indextoname", String(index), "no interface has that index");
}
