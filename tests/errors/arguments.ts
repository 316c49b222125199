/**
 * What is said of options, ports, hosts and addresses in text.
 *
 * @module
 */
import { connect, connectAny, listen, listenDatagram, resolveAddress, socketPair } from "../../mod.ts";
import { UNKNOWN_HOST } from "../support/loopback.ts";
import { says, wrong } from "./support.ts";

const WHOLE = "expected a whole number from 0 to 65535";
const OPTIONS = "expected { hostname, port } or { transport, path }";

says("options", [
  ["listen()", () => listen(wrong(undefined)), TypeError, `Invalid options: undefined, ${OPTIONS}`],
  ["connect(null)", () => connect(wrong(null)), TypeError, `Invalid options: null, ${OPTIONS}`],
  ["connectAny([5])", () => connectAny(wrong([5])), TypeError, `candidates[0]: Invalid options: 5, ${OPTIONS}`],
  [
    "connectAny({})",
    () => connectAny(wrong({})),
    TypeError,
    "Invalid candidates: {}, expected an array of options for connect",
  ],
  [
    "an unknown transport to listen",
    () => listen(wrong({ transport: "sctp" })),
    TypeError,
    'Unknown transport: "sctp", expected "tcp", "unix" or "seqpacket"',
  ],
  [
    "an unknown transport to connect",
    () => connect(wrong({ transport: 6n })),
    TypeError,
    'Unknown transport: 6n, expected "tcp", "unix" or "seqpacket"',
  ],
  [
    "a transport left out",
    () => listenDatagram(wrong({ port: 53 })),
    TypeError,
    'Unknown transport: undefined, expected "udp", "unixpacket" or "unixgram"',
  ],
  [
    "a backlog in digits",
    () => listen(wrong({ port: 0, tcpBacklog: "5" })),
    TypeError,
    'Invalid tcpBacklog: "5", expected a whole number',
  ],
  [
    "a backlog below 0",
    () => listen({ transport: "unix", path: "\0x", backlog: -1 }),
    RangeError,
    "Invalid backlog: -1, expected 0 or more",
  ],
  [
    "a delay between attempts",
    () => connect({ port: 1, autoSelectFamilyAttemptDelay: NaN }),
    TypeError,
    "Invalid autoSelectFamilyAttemptDelay: NaN, expected milliseconds",
  ],
  [
    "keepAlive",
    () => connect({ port: 1, keepAlive: wrong("yes") }),
    TypeError,
    'Invalid keepAlive: "yes", expected a boolean or { idle, interval, count }',
  ],
  [
    "a type for socketPair",
    () => socketPair(wrong("datagram")),
    TypeError,
    'Unknown type: "datagram", expected "stream", "dgram" or "seqpacket"',
  ],
]);

says("ports", [
  ["a port left out", () => connect(wrong({})), TypeError, `Invalid port: undefined, ${WHOLE}`],
  ["NaN", () => listen({ port: NaN }), TypeError, `Invalid port: NaN, ${WHOLE}`],
  ["a service's name", () => listen({ port: wrong("http") }), TypeError, `Invalid port: 'http', ${WHOLE}`],
  ["a BigInt", () => listen({ port: wrong(80n) }), TypeError, `Invalid port: 80n, ${WHOLE}`],
  [
    "65536",
    () => listen({ port: 65536 }),
    RangeError,
    "Invalid port (out of range): 65536, expected 0 to 65535",
  ],
]);

says("hosts", [
  [
    "a host with its port",
    () => listen({ hostname: "127.0.0.1:80", port: 0 }),
    TypeError,
    'Invalid hostname: "127.0.0.1:80", expected an IP address or a name, without a port',
  ],
  [
    "a number",
    () => listen({ hostname: wrong(5), port: 0 }),
    TypeError,
    "Invalid hostname: 5, expected an IP address or a name",
  ],
  [
    "an unknown name",
    () => listen({ hostname: UNKNOWN_HOST, port: 0 }),
    Deno.errors.NotFound,
    `getaddrinfo "${UNKNOWN_HOST}": no such host (EAI_*)`,
  ],
  [
    "an unknown zone",
    () => listen({ hostname: "fe80::1%nosuch0", port: 0 }),
    Deno.errors.NotFound,
    'if_nametoindex "nosuch0": no such device (ENODEV); ' +
    "expected a name, an index or an IPv4 address of this machine's",
  ],
  [
    "an address of another machine",
    () => listen({ hostname: "192.0.2.1", port: 0 }),
    Deno.errors.AddrNotAvailable,
    "bind 192.0.2.1:0: cannot assign requested address (EADDRNOTAVAIL)",
  ],
  [
    "a name to dial from",
    () => connect({ port: 1, localAddress: { hostname: "localhost" } }),
    TypeError,
    'Invalid localAddress.hostname: "localhost", expected an IP address',
  ],
  [
    "an address of the other family to dial from",
    () => connect({ hostname: "::1", port: 1, localAddress: { hostname: "0.0.0.0" } }),
    TypeError,
    'localAddress "0.0.0.0" and "::1" are of different families; pass a localAddress of the same family',
  ],
]);

says("addresses to resolve", [
  [
    "an unknown network",
    () => resolveAddress(wrong("sctp"), "localhost:80"),
    TypeError,
    'Unknown network: "sctp", expected one of "tcp", "tcp4", "tcp6", "udp", "udp4", "udp6", "ip", "ip4", "ip6", ' +
    '"unix", "unixgram", "seqpacket"',
  ],
  [
    "a host without a port",
    () => resolveAddress("tcp", "localhost"),
    TypeError,
    'Invalid address: "localhost", expected "host:port", "[v6%zone]:port" or ":port"',
  ],
  [
    "nothing",
    () => resolveAddress("udp", wrong(undefined)),
    TypeError,
    'Invalid address: undefined, expected "host:port", "[v6%zone]:port" or ":port"',
  ],
  ["no host", () => resolveAddress("ip", ""), TypeError, 'Invalid address: "", expected an IP address or a name'],
  ["no path", () => resolveAddress("unix", ""), TypeError, 'Invalid address: "", expected a path'],
  [
    "an address of the other family",
    () => resolveAddress("tcp6", "127.0.0.1:80"),
    TypeError,
    'Not an IPv6 address: "127.0.0.1"',
  ],
]);
