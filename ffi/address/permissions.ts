import { formatIPv4, parseIPv4, parseIPv6 } from "../struct/ip.ts";
import { quote } from "../validate/quote.ts";
import { type Access, isRemembered, isUnlimited, remember } from "./grants.ts";

// Deno's sandbox does not see what goes through FFI. What Deno itself would ask before the same operation is asked
// here, and refused with the same words.

function refuse(access: Access, to: string): never {
  throw new Deno.errors.NotCapable(
    `Requires ${access} access to ${JSON.stringify(to)}, run again with the --allow-${access} flag`,
  );
}

/** Asks Deno, and the user where Deno would. */
function isGranted(descriptor: Deno.PermissionDescriptor): boolean {
  const { state } = Deno.permissions.querySync(descriptor);
  return (state === "prompt" ? Deno.permissions.requestSync(descriptor).state : state) === "granted";
}

/** Throws TypeError for what is neither an IP address nor a name. */
export function requireName(hostname: string): void {
  if (hostname === "" || /[\0\s:/%[\]]/.test(hostname)) {
    throw new TypeError(`Invalid hostname: ${quote(hostname)}, expected an IP address or a name, without a port`);
  }
}

/** A host as Deno writes it in a grant: IPv6 in brackets, without its zone, and IPv4 mapped to IPv6 as IPv4. Throws
 * TypeError for what no host is called: "unix:/path" would be asked about as a path. */
function grantHost(hostname: string, port: number): string {
  if (parseIPv4(hostname) !== null) return `${hostname}:${port}`;
  const bare = hostname.startsWith("[") && hostname.endsWith("]") ? hostname.slice(1, -1) : hostname;
  const address = parseIPv6(bare);
  if (address === null) {
    requireName(hostname);
    return `${hostname}:${port}`;
  }
  const { bytes } = address;
  const mapped = bytes[10] === 0xff && bytes[11] === 0xff && bytes.subarray(0, 10).every((byte) => byte === 0);
  if (mapped) return `${formatIPv4(bytes, 12)}:${port}`;
  const zone = bare.indexOf("%");
  return `[${zone === -1 ? bare : bare.slice(0, zone)}]:${port}`;
}

/** Throws NotCapable unless the program may use the network at this host and port, as it was named. */
export function requireNet(hostname: string, port: number): void {
  if (isUnlimited("net")) return;
  const host = grantHost(hostname, port);
  if (isRemembered("host", host)) return;
  if (!isGranted({ name: "net", host })) refuse("net", host);
  remember("host", host);
}

/** Throws NotCapable where an address that a name led to is denied, though the name is granted. */
export function requireNotDenied(hostname: string, port: number): void {
  if (isUnlimited("net")) return;
  const host = grantHost(hostname, port);
  if (Deno.permissions.querySync({ name: "net", host }).state === "denied") refuse("net", host);
}

/** Throws NotCapable unless the whole network is granted: for what no grant can name. */
export function requireEveryHost(what: string): void {
  if (!isUnlimited("net")) refuse("net", what);
}

/** Where a Unix socket is, or is to be. */
export interface UnixPlace {
  /** As the caller wrote it: a path, "\0name" for an abstract name, "" for no name. */
  readonly given: string;
  /** The absolute path of its file; null for one that has none. */
  readonly file: string | null;
}

/** What is done at a place: binding or connecting, or sending a datagram there. */
export type UnixUse = "socket" | "destination";

/** Which kinds of access to the file each use takes, in the order in which Deno asks. */
const FILE_ACCESS = { socket: ["read", "write"], destination: ["write"] } as const;

/** Throws NotCapable unless the program may use a Unix socket there. Deno asks for its file and for the network; for an
 * abstract name, which no grant can spell, for the whole network. */
export function requireUnix({ given, file }: UnixPlace, use: UnixUse): void {
  if (file === null) return requireAbstract(given);
  if (isRemembered(use, file)) return;
  for (const name of FILE_ACCESS[use]) {
    if (isUnlimited(name) || isGranted({ name, path: file })) continue;
    refuse(name, given.startsWith("/") ? file : given);
  }
  const host = `unix:${file}`;
  if (!isUnlimited("net") && !isGranted({ name: "net", host })) refuse("net", host);
  remember(use, file);
}

/** An exception from a grant cannot name it either: a grant of all hosts but some is enough. */
function requireAbstract(name: string): void {
  if (isUnlimited("net") || Deno.permissions.querySync({ name: "net" }).state === "granted") return;
  refuse("net", `unix:@${name.slice(1)}`);
}

/** Throws NotCapable unless every file and the whole network are granted: for the bytes of a Unix address whose name is
 * not text. */
export function requireEveryPath(what: string): void {
  for (const access of ["read", "write", "net"] as const) if (!isUnlimited(access)) refuse(access, what);
}

const EVERY_KIND = ["read", "write", "net", "env", "sys", "run", "ffi", "import"] as const;

/** Whether nothing is limited, as with --allow-all: then Deno hands a path to the system as it was given, and otherwise
 * the absolute path that it asked about. */
export function nothingIsLimited(): boolean {
  return EVERY_KIND.every((name) => {
    const { state, partial } = Deno.permissions.querySync({ name });
    return state === "granted" && !partial;
  });
}

/** Throws NotCapable unless the program may know of the machine's interfaces. */
export function requireInterfaces(): void {
  if (isGranted({ name: "sys", kind: "networkInterfaces" })) return;
  throw new Deno.errors.NotCapable(
    'Requires sys access to "networkInterfaces", run again with the --allow-sys flag',
  );
}
