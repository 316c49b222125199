/**
 * Messages of SSDP, the discovery protocol of UPnP: HTTP headers in a datagram.
 *
 * @module
 */

export const PORT = 1900;
export const GROUPS = { inet: "239.255.255.250", inet6: "ff02::c" } as const;

/** Seconds for which an announcement is good. */
export const MAX_AGE = 1800;

const SERVER = "Deno UPnP/1.1 berkeley/0";

/** A device that is announced. */
export interface Device {
  /** "uuid:…". */
  uuid: string;
  /** "urn:schemas-upnp-org:device:Basic:1". */
  type: string;
  /** Where its description is. */
  location: string;
}

/** A message that was received. */
export interface Message {
  kind: "search" | "notify" | "answer";
  /** By their names in lower case. */
  headers: Map<string, string>;
}

/** Parses a datagram; null for anything that is no message of SSDP. */
export function parse(data: Uint8Array): Message | null {
  const [start, ...lines] = new TextDecoder().decode(data).split("\r\n");
  const kind = kindOf(start!);
  if (kind === null) return null;
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = line.match(/^([\w.-]{1,64}):\s*(.{0,1024}?)\s*$/) ?? [];
    // Control characters have nothing to do on a terminal.
    if (name !== undefined) headers.set(name.toLowerCase(), value!.replaceAll(/\p{Cc}/gu, ""));
  }
  return { kind, headers };
}

function kindOf(start: string): Message["kind"] | null {
  if (/^M-SEARCH \* HTTP\/1\.\d$/.test(start)) return "search";
  if (/^NOTIFY \* HTTP\/1\.\d$/.test(start)) return "notify";
  return /^HTTP\/1\.\d 200 /.test(start) ? "answer" : null;
}

function write(start: string, headers: Readonly<Record<string, string>>): Uint8Array {
  const lines = Object.entries(headers).map(([name, value]) => value === "" ? `${name}:` : `${name}: ${value}`);
  return new TextEncoder().encode([start, ...lines, "", ""].join("\r\n"));
}

function host(family: "inet" | "inet6"): string {
  return family === "inet" ? `${GROUPS.inet}:${PORT}` : `[${GROUPS.inet6}]:${PORT}`;
}

/** Asks for devices or services; who has some answers within `mx` seconds. */
export function search(family: "inet" | "inet6", target: string, mx: number): Uint8Array {
  return write("M-SEARCH * HTTP/1.1", { HOST: host(family), MAN: '"ssdp:discover"', MX: String(mx), ST: target });
}

/** What a device is looked for by: each with its unique name. */
export function targets({ uuid, type }: Device): Map<string, string> {
  return new Map([["upnp:rootdevice", `${uuid}::upnp:rootdevice`], [uuid, uuid], [type, `${uuid}::${type}`]]);
}

/** The answers of a device to a search; none where it is not meant. */
export function answers(device: Device, target: string): Uint8Array[] {
  const wanted = Array.from(targets(device)).filter(([name]) => target === "ssdp:all" || target === name);
  return wanted.map(([name, usn]) =>
    write("HTTP/1.1 200 OK", {
      "CACHE-CONTROL": `max-age=${MAX_AGE}`,
      DATE: new Date().toUTCString(),
      EXT: "",
      LOCATION: device.location,
      SERVER,
      ST: name,
      USN: usn,
    })
  );
}

/** The announcements of a device that has come, or goes. */
export function notices(family: "inet" | "inet6", device: Device, event: "ssdp:alive" | "ssdp:byebye"): Uint8Array[] {
  const alive = { "CACHE-CONTROL": `max-age=${MAX_AGE}`, LOCATION: device.location, SERVER };
  return Array.from(targets(device), ([name, usn]) => {
    const rest = event === "ssdp:alive" ? alive : {};
    return write("NOTIFY * HTTP/1.1", { HOST: host(family), ...rest, NT: name, NTS: event, USN: usn });
  });
}
