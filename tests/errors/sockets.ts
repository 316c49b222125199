/**
 * What is said of options of sockets and of bare sockets.
 *
 * @module
 */
import { connect, connectAny, Socket, sockopt } from "../../mod.ts";
import { ONE, says, udp, withSocket, withTcp, wrong } from "./support.ts";

says("options of sockets", [
  [
    "an unknown one",
    withSocket("inet", "dgram", (socket) => socket.getOption(wrong(undefined))),
    TypeError,
    "Unknown option: undefined, expected one of sockopt's",
  ],
  [
    "one that this system lacks",
    withSocket("inet", "dgram", (socket) => socket.setOption(sockopt.SO_REUSEPORT_LB, true)),
    Deno.errors.NotSupported,
    "* * has no option SO_REUSEPORT_LB; check sockopt.SO_REUSEPORT_LB.supported first",
  ],
  [
    "a value of another type",
    withSocket("inet", "dgram", (socket) => socket.setOption(sockopt.SO_BROADCAST, wrong(1))),
    TypeError,
    "Invalid value for SO_BROADCAST: 1, expected a boolean",
  ],
  [
    "a value that no int holds",
    withSocket("inet", "dgram", (socket) => socket.setOption(sockopt.SO_RCVBUF, 2 ** 40)),
    RangeError,
    "Invalid value for SO_RCVBUF: 1099511627776, expected -2147483648 to 4294967295",
  ],
  [
    "a buffer size beyond an int",
    () => udp({ receiveBufferSize: 2 ** 40 }),
    RangeError,
    "Invalid receiveBufferSize: 1099511627776, expected 0 to 2147483647 bytes",
  ],
  [
    "a buffer size that is no number",
    () => udp({ sendBufferSize: wrong("1 MiB") }),
    TypeError,
    'Invalid sendBufferSize: "1 MiB", expected bytes, a whole number',
  ],
  [
    "a local port of a dial",
    () => connect({ port: 1, localAddress: { port: 65_536 } }),
    RangeError,
    "Invalid localAddress.port (out of range): 65536, expected 0 to 65535",
  ],
  [
    "the second candidate's port",
    () => connectAny([{ port: 1 }, { port: -1 }]),
    RangeError,
    "candidates[1]: Invalid port (out of range): -1, expected 0 to 65535",
  ],
  [
    "seconds without their name",
    withSocket("inet", "stream", (socket) => socket.setOption(sockopt.SO_LINGER, wrong(5))),
    TypeError,
    "Invalid value for SO_LINGER: 5, expected { seconds }, a whole number or null",
  ],
  [
    "seconds below 0",
    withTcp((conn) => conn.setLinger(-1)),
    RangeError,
    "Invalid value for SO_LINGER: -1, expected 0 to 65535",
  ],
  [
    "a keep-alive time that the system would refuse",
    withTcp((conn) => conn.setKeepAlive({ idle: 0 })),
    RangeError,
    "Invalid keepAlive.idle: 0, expected 1 to 32767",
  ],
  [
    "one of another kind of socket",
    withSocket("inet", "dgram", (socket) => socket.setOption(sockopt.TCP_NODELAY, true)),
    Error,
    "setsockopt TCP_NODELAY: protocol not available (ENOPROTOOPT); the socket or the kernel does not have this option",
  ],
  [
    "an invalid number",
    withSocket("inet", "dgram", (socket) => socket.setRawOption(1, 2, NaN)),
    TypeError,
    "Invalid value for level 1 option 2: NaN, expected a whole number or bytes",
  ],
  [
    "an invalid level",
    withSocket("inet", "dgram", (socket) => socket.getRawOption(NaN, 2, 4)),
    TypeError,
    "Invalid level: NaN, expected a whole number",
  ],
  [
    "a length to read",
    withSocket("inet", "dgram", (socket) => socket.getRawOption(1, 2, -1)),
    RangeError,
    "Invalid length: -1, expected 0 to 65536 bytes",
  ],
  [
    "a number unknown to the system",
    withSocket("inet", "dgram", (socket) => socket.getRawOption(1, 9999, 4)),
    Error,
    "getsockopt level 1 option 9999: protocol not available (ENOPROTOOPT); the socket or the kernel does not have this option",
  ],
]);

says("bare sockets", [
  [
    "an unknown domain",
    () => Socket.open(wrong("ipv4"), "stream"),
    TypeError,
    'Unknown domain: "ipv4", expected "inet", "inet6", "unix" or a number',
  ],
  [
    "an unknown type",
    () => Socket.open("inet", wrong("tcp")),
    TypeError,
    'Unknown type: "tcp", expected "stream", "dgram", "seqpacket", "raw" or a number',
  ],
  [
    "an unknown protocol",
    () => Socket.open("inet", "stream", wrong("tcp")),
    TypeError,
    'Unknown protocol: "tcp", expected a number',
  ],
  [
    "a domain that the system lacks",
    () => Socket.open(9999, "stream"),
    Error,
    "socket: address family not supported by protocol (EAFNOSUPPORT); domain 9999, type 1, protocol 0",
  ],
  [
    "an unknown direction",
    withSocket("inet", "stream", (socket) => socket.shutdown(wrong("in"))),
    TypeError,
    'Unknown direction: "in", expected "read", "write", "both" or a number',
  ],
  [
    "no address",
    withSocket("inet", "stream", (socket) => socket.bind(wrong(80))),
    TypeError,
    "Not an address: 80, expected { hostname, port }, { path } or a sockaddr",
  ],
  [
    "a name",
    withSocket("inet", "stream", (socket) => socket.bind({ transport: "tcp", hostname: "localhost", port: 0 })),
    TypeError,
    'Not an IP address: "localhost"; resolveAddress looks names up',
  ],
  [
    "a path that is a number",
    withSocket("unix", "stream", (socket) => socket.bind({ transport: "unix", path: wrong(5) })),
    TypeError,
    "Invalid path: 5, expected text or null",
  ],
  [
    "a sockaddr too short",
    withSocket("inet", "stream", (socket) => socket.connect(ONE)),
    TypeError,
    "A sockaddr of 1 bytes, expected 2 to 128",
  ],
]);
