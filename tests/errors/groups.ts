/**
 * What is said of multicast groups.
 *
 * @module
 */
import {} from "../../mod.ts";
import { LOOPBACK } from "../support/loopback.ts";
import { says, withUdp, wrong } from "./support.ts";

const GROUP = "239.255.9.9";
const HERE = { interface: LOOPBACK };

says("groups", [
  [
    "an invalid address",
    withUdp((socket) => socket.joinMulticast("127.0.0.1")),
    TypeError,
    'Not a multicast group: "127.0.0.1", expected 224.0.0.0 to 239.255.255.255 or ff00::/8',
  ],
  [
    "a name",
    withUdp((socket) => socket.joinMulticast("all-hosts")),
    TypeError,
    'Invalid group: "all-hosts", expected an IP address',
  ],
  [
    "one of the other family",
    withUdp((socket) => socket.joinMulticast("ff02::1")),
    TypeError,
    'The group ff02::1 is of the other family; open an IPv6 socket with hostname: "::"',
  ],
  [
    "a source of the other family",
    withUdp((socket) => socket.joinMulticast(GROUP, { ...HERE, source: "::1" })),
    TypeError,
    "The source ::1 is an IPv6 address, and the group is not",
  ],
  [
    "an interface's name",
    withUdp((socket) => socket.joinMulticast(GROUP, { interface: "nosuch0" })),
    Deno.errors.NotFound,
    'if_nametoindex "nosuch0": no such device (ENODEV); ' +
    "expected a name, an index or an IPv4 address of this machine's",
  ],
  [
    "an interface's address",
    withUdp((socket) => socket.setMulticastInterface("192.0.2.1")),
    Deno.errors.NotFound,
    "getifaddrs 192.0.2.1: no such device (ENODEV); no interface of this machine has that address",
  ],
  [
    "an interface's index",
    withUdp((socket) => socket.setMulticastInterface(0x7fff_fff0)),
    Deno.errors.NotFound,
    "if_indextoname 2147483632: no such device (ENODEV); no interface has that index",
  ],
  [
    "no interface",
    withUdp((socket) => socket.setMulticastInterface(wrong({}))),
    TypeError,
    "Invalid interface: {}, expected a name, an index or an IPv4 address",
  ],
  [
    "one joined twice",
    withUdp((socket) => {
      socket.joinMulticast(GROUP, HERE);
      socket.joinMulticast(GROUP, HERE);
    }),
    Deno.errors.AddrInUse,
    "setsockopt join 239.255.9.9: address already in use (EADDRINUSE); " +
    "the socket has already joined this group on this interface",
  ],
  [
    "one joined twice from one source",
    withUdp((socket) => {
      socket.joinMulticast(GROUP, { ...HERE, source: "127.0.0.9" });
      socket.joinMulticast(GROUP, { ...HERE, source: "127.0.0.9" });
    }),
    Deno.errors.AddrNotAvailable,
    "setsockopt join 239.255.9.9 from 127.0.0.9: cannot assign requested address (EADDRNOTAVAIL); " +
    "the socket has already joined this group with this source",
  ],
  [
    "one left twice",
    withUdp(async (socket) => {
      const membership = socket.joinMulticast(GROUP, HERE);
      await membership.leave();
      await membership.leave();
    }),
    Deno.errors.AddrNotAvailable,
    "setsockopt 239.255.9.9: cannot assign requested address (EADDRNOTAVAIL); this membership has been left",
  ],
  [
    "a source blocked twice",
    withUdp((socket) => {
      const membership = socket.joinMulticast(GROUP, HERE);
      membership.blockSource("127.0.0.9");
      membership.blockSource("127.0.0.9");
    }),
    Deno.errors.AddrNotAvailable,
    "setsockopt block 239.255.9.9 from 127.0.0.9: cannot assign requested address (EADDRNOTAVAIL); the source is already blocked",
  ],
  [
    "a source unblocked that was not blocked",
    withUdp((socket) => socket.joinMulticast(GROUP, HERE).unblockSource("127.0.0.9")),
    Deno.errors.AddrNotAvailable,
    "setsockopt unblock 239.255.9.9 from 127.0.0.9: cannot assign requested address (EADDRNOTAVAIL); the source is not blocked",
  ],
  [
    "a source blocked in a membership of one source",
    withUdp((socket) => socket.joinMulticast(GROUP, { ...HERE, source: "127.0.0.9" }).blockSource("127.0.0.8")),
    TypeError,
    "Cannot block a source: the membership of 239.255.9.9 is source-specific",
  ],
  [
    "more than the system allows",
    withUdp((socket) => {
      for (let index = 0; index < 100_000; index++) {
        socket.joinMulticast(`239.255.${index >> 8}.${index & 255}`, HERE);
      }
    }),
    Error,
    "setsockopt join 239.255.*: no buffer space available (ENOBUFS); " +
    "the limits are net.ipv4.igmp_max_memberships (20 by default) and net.core.optmem_max",
  ],
  [
    "more sources of one than the system allows",
    withUdp((socket) => {
      for (let index = 1; index < 10_000; index++) {
        socket.joinMulticast(GROUP, { ...HERE, source: `127.0.${index >> 8}.${index & 255}` });
      }
    }),
    Error,
    "setsockopt join 239.255.9.9 from *: no buffer space available (ENOBUFS); the limits are " +
    "net.ipv4.igmp_max_memberships (20 by default), net.ipv4.igmp_max_msf (10 by default) and net.core.optmem_max",
  ],
  [
    "null for an interface",
    withUdp((socket) => socket.joinMulticast("239.255.0.1", { interface: wrong(null) })),
    TypeError,
    "Invalid interface: null, expected a name, an index or an IPv4 address",
  ],
  ["a TTL", withUdp((socket) => socket.setTTL(0)), RangeError, "Invalid TTL: 0, expected 1 to 255"],
  [
    "a multicast TTL",
    withUdp((socket) => socket.setMulticastTTL(wrong("8"))),
    RangeError,
    'Invalid TTL: "8", expected 0 to 255',
  ],
]);
