/**
 * What is said of datagrams and where they go.
 *
 * @module
 */
import { DatagramBatch, listen, listenDatagram } from "../../mod.ts";
import { at, LOOPBACK } from "../support/loopback.ts";
import { ONE, says, withPath, withUdp, wrong } from "./support.ts";

says("destinations", [
  [
    "a send without one",
    withUdp((socket) => socket.send(ONE)),
    TypeError,
    "No address given, and the socket is not connected; pass an address or call connect() first",
  ],
  [
    "text",
    withUdp((socket) => socket.send(ONE, wrong("127.0.0.1:53"))),
    TypeError,
    'Not an address: "127.0.0.1:53", expected { transport: "udp", hostname, port }',
  ],
  [
    "one of TCP",
    withUdp((socket) => socket.send(ONE, { transport: "tcp", hostname: LOOPBACK, port: 9 })),
    TypeError,
    'Not a UDP address: transport "tcp", expected "udp"',
  ],
  [
    "one with a misspelt hostname",
    withUdp((socket) => socket.send(ONE, wrong({ transport: "udp", hostName: "127.0.0.2", port: 9 }))),
    TypeError,
    'Unknown option "hostName": did you mean "hostname"?',
  ],
  [
    "one of node:dgram",
    withUdp((socket) => socket.connect(wrong({ address: "127.0.0.2", family: "IPv4", port: 9, size: 1 }))),
    TypeError,
    'Unknown option "address", addresses take transport, hostname, port',
  ],
  [
    "one of the other family",
    withUdp((socket) => socket.send(ONE, at("::1", 9))),
    TypeError,
    'An IPv4 socket cannot reach the IPv6 address ::1; open it with hostname: "::" for both families',
  ],
  [
    "a name to connect to",
    withUdp((socket) => socket.connect(at("localhost", 9))),
    TypeError,
    'Not an IP address: "localhost"; resolveAddress looks names up',
  ],
  [
    "a source that is a name",
    withUdp((socket) => socket.send(ONE, at(LOOPBACK, 9), { source: "localhost" })),
    TypeError,
    'Invalid source: "localhost", expected an IP address',
  ],
  [
    "a TTL that C would cut",
    withUdp((socket) => socket.send(ONE, at(LOOPBACK, 9), { ttl: 2 ** 32 - 1 })),
    RangeError,
    "Invalid ttl: 4294967295, expected 1 to 255",
  ],
  [
    "a source of another family than a name's addresses, in a list",
    withUdp((socket) => socket.sendMany([{ data: ONE, addr: at("localhost", 9), source: "::1" }])),
    TypeError,
    "datagrams[0]: The source ::1 is an IPv6 address, and the destination an IPv4 one",
  ],
  [
    "a source of another machine",
    withUdp((socket) => socket.send(ONE, at(LOOPBACK, 9), { source: "192.0.2.1" })),
    Deno.errors.NetworkUnreachable,
    "sendmsg 127.0.0.1:9: network is unreachable (ENETUNREACH); source must be a local address",
  ],
]);

says("datagrams", [
  [
    "one too long",
    withUdp((socket) => socket.send(new Uint8Array(65_508), at(LOOPBACK, 9))),
    RangeError,
    "A datagram of 65508 bytes, expected 65507 at most over IPv4",
  ],
  [
    "a value that is not a list",
    withUdp((socket) => socket.sendMany(wrong(5))),
    TypeError,
    "Expected an array of datagrams, got 5",
  ],
  [
    "a list of something else",
    withUdp((socket) => socket.sendMany(wrong([5n]))),
    TypeError,
    "datagrams[0]: Not a datagram: 5n, expected { data, addr }",
  ],
  [
    "the third of them too long",
    withUdp((socket) => {
      const addr = at(LOOPBACK, 9);
      return socket.sendMany([{ data: ONE, addr }, { data: ONE, addr }, { data: new Uint8Array(65_508), addr }]);
    }),
    RangeError,
    "datagrams[2]: A datagram of 65508 bytes, expected 65507 at most over IPv4",
  ],
  [
    "the second of them to no address",
    withUdp((socket) => socket.sendMany([{ data: ONE, addr: at(LOOPBACK, 9) }, { data: ONE }])),
    TypeError,
    "datagrams[1]: No address given, and the socket is not connected; pass an address or call connect() first",
  ],
  [
    "the second of them to no port",
    withUdp((socket) =>
      socket.sendMany([{ data: ONE, addr: at(LOOPBACK, 9) }, { data: ONE, addr: at(LOOPBACK, 65_536) }])
    ),
    RangeError,
    "datagrams[1]: Invalid port (out of range): 65536, expected 0 to 65535",
  ],
  [
    "segments of nothing",
    withUdp((socket) => socket.sendSegments(ONE, 0, socket.addr)),
    RangeError,
    "Invalid segmentSize: 0, expected 1 to 65507 bytes",
  ],
  [
    "a length to receive",
    withUdp((socket) => socket.receiveMessage({ maxLength: wrong("8") })),
    RangeError,
    'Invalid maxLength: "8", expected 0 to 65535 bytes',
  ],
  [
    "no batch",
    withUdp((socket) => socket.receiveMany(wrong([]))),
    TypeError,
    "Expected a DatagramBatch, got []",
  ],
  [
    "a batch of none",
    () => new DatagramBatch({ capacity: 0 }),
    RangeError,
    "Invalid capacity: 0, expected 1 to 1024",
  ],
  [
    "a batch of long ones",
    () => new DatagramBatch({ maxLength: 65_536 }),
    RangeError,
    "Invalid maxLength: 65536, expected 0 to 65535",
  ],
  ["an index beyond a batch", () => new DatagramBatch().data(3), RangeError, "No datagram 3: the batch holds 0"],
]);

/** Calls with a Unix datagram socket that is open for just that. */
function withUnix(call: (socket: ReturnType<typeof openUnix>) => unknown) {
  return async () => {
    using socket = openUnix();
    await call(socket);
  };
}

function openUnix() {
  return listenDatagram({ transport: "unixgram", path: "" });
}

says("Unix datagrams", [
  [
    "an address of UDP",
    withUnix((socket) => socket.send(ONE, at(LOOPBACK, 9))),
    TypeError,
    'Not a Unix address: { transport: "udp", hostname: "127.0.0.1", port: 9 }, ' +
    'expected { transport: "unixpacket", path }',
  ],
  [
    "an answer to an unbound sender",
    withUnix((socket) => socket.send(ONE, { transport: "unixpacket", path: null })),
    TypeError,
    "Invalid path: null, expected the path of a Unix socket; an unbound socket has no path",
  ],
  [
    "one longer than the buffer",
    withUnix((socket) => socket.send(new Uint8Array(1 << 24), socket.addr)),
    Error,
    "sendmsg @*: message too long (EMSGSIZE); the limit is the size of the send buffer (SO_SNDBUF)",
  ],
  [
    "a stream socket to send to",
    withPath(async (path) => {
      using _listener = listen({ transport: "unix", path });
      using socket = openUnix();
      await socket.send(ONE, { transport: "unixpacket", path });
    }),
    Error,
    "sendmsg *: protocol wrong type for socket (EPROTOTYPE); the socket has another transport than unixgram",
  ],
  [
    "a group",
    withUnix((socket) => socket.joinMulticastV4("239.255.9.9", LOOPBACK)),
    Deno.errors.NotSupported,
    "A Unix datagram socket has no multicast groups",
  ],
]);
