import type { InetAddress } from "../struct/sockaddr.ts";
import { isMulticast, parseHost } from "../address/address.ts";
import { quote } from "../validate/quote.ts";
import { inFamily, type IpFamily, packetFamily } from "./families.ts";

/** The families of the groups that a socket can join. */
export type Families = readonly IpFamily[];

/** Parses a group or a source: an IP address of a family of the socket. One that is mapped to IPv6 is an IPv4 address. */
export function parseMember(what: string, text: string, families: Families): InetAddress {
  const given = typeof text === "string" ? parseHost(text, 0) : null;
  if (given === null) throw new TypeError(`Invalid ${what}: ${quote(text)}, expected an IP address`);
  const family = packetFamily(given);
  if (!families.includes(family)) throw otherFamily(what, text, family);
  return inFamily(family, given, text);
}

function otherFamily(what: string, text: string, family: IpFamily): TypeError {
  const [version, hostname] = family === "inet6" ? ["IPv6", "::"] : ["IPv4", "0.0.0.0"];
  if (what !== "group") return new TypeError(`The ${what} ${text} is an ${version} address, and the group is not`);
  return new TypeError(
    `The group ${text} is of the other family; open an ${version} socket with hostname: "${hostname}"`,
  );
}

export function parseGroup(text: string, families: Families): InetAddress {
  const group = parseMember("group", text, families);
  if (isMulticast(group)) return group;
  throw new TypeError(
    `Not a multicast group: ${quote(text)}, expected 224.0.0.0 to 239.255.255.255 or ff00::/8`,
  );
}
