import { parseIPv6 } from "../struct/ip.ts";

// FFI goes round Deno's sandbox. What Deno itself would ask before the same operation is asked here, in the same words.

/** Distinct hosts remembered as granted; a scan of a whole network must not fill memory. */
const MOST_REMEMBERED = 4096;
const granted = new Set<string>();
let everyHost: boolean | undefined;

function refuse(access: "net" | "read" | "write", to: string): never {
  throw new Deno.errors.NotCapable(
    `Requires ${access} access to ${JSON.stringify(to)}, run again with the --allow-${access} flag`,
  );
}

/** Granted for every host, without exceptions: then no other question is needed. */
function netIsOpen(): boolean {
  if (everyHost === undefined) {
    const status = Deno.permissions.querySync({ name: "net" });
    everyHost = status.state === "granted" && !status.partial;
  }
  return everyHost;
}

/** As Deno writes a host in a grant: IPv6 in brackets, without the zone, which it does not know. */
function grantHost(hostname: string, port: number): string {
  const bare = hostname.startsWith("[") && hostname.endsWith("]") ? hostname.slice(1, -1) : hostname;
  if (!bare.includes(":")) return `${bare}:${port}`;
  const zone = bare.indexOf("%");
  const address = zone === -1 ? bare : bare.slice(0, zone);
  return parseIPv6(address) === null ? `${bare}:${port}` : `[${address}]:${port}`;
}

function requireGrant(host: string): void {
  if (granted.has(host)) return;
  let { state } = Deno.permissions.querySync({ name: "net", host });
  if (state === "prompt") ({ state } = Deno.permissions.requestSync({ name: "net", host }));
  if (state !== "granted") refuse("net", host);
  remember(host);
}

function remember(host: string): void {
  if (granted.size === MOST_REMEMBERED) granted.clear();
  granted.add(host);
}

/** Throws NotCapable unless the program may use the network at this host and port, as it was named. */
export function requireNet(hostname: string, port: number): void {
  if (!netIsOpen()) requireGrant(grantHost(hostname, port));
}

/** A name that is granted may lead to an address that is denied. */
export function requireNotDenied(hostname: string, port: number): void {
  if (netIsOpen()) return;
  const host = grantHost(hostname, port);
  if (Deno.permissions.querySync({ name: "net", host }).state === "denied") refuse("net", host);
}

/** Reading a directory entry, writing one, and the network: Deno asks all three for a Unix socket at a path, and for an
 * abstract name, which no grant can spell, the whole network. */
export function requireUnix(path: string): void {
  if (path.startsWith("\0")) return requireAbstract(path);
  const host = `unix:${path.startsWith("/") ? path : `${Deno.cwd()}/${path}`}`;
  if (granted.has(host)) return;
  for (const name of ["read", "write"] as const) {
    let { state } = Deno.permissions.querySync({ name, path });
    if (state === "prompt") ({ state } = Deno.permissions.requestSync({ name, path }));
    if (state !== "granted") refuse(name, path);
  }
  if (netIsOpen()) remember(host);
  else requireGrant(host);
}

/** No exception from a grant can name it either. */
function requireAbstract(path: string): void {
  if (netIsOpen() || Deno.permissions.querySync({ name: "net" }).state === "granted") return;
  refuse("net", `unix:@${path.slice(1)}`);
}

/** For what no grant can name: the whole network. */
export function requireEveryHost(what: string): void {
  if (!netIsOpen()) refuse("net", what);
}
