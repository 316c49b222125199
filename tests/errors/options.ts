import { connect, connectAny, DatagramBatch, listen, listenDatagram, socketPair, type UnixConn } from "../../mod.ts";
import { LOOPBACK } from "../support/loopback.ts";
import { says, udp, withTcp, withUdp, wrong } from "./support.ts";

const signal = new AbortController().signal;

/** Calls with both ends of a Unix connection that is open for just that. */
function withPair(call: (conn: UnixConn) => unknown) {
  return async () => {
    const [one, two] = socketPair("stream");
    try {
      await call(one);
    } finally {
      one.close();
      two.close();
    }
  };
}

const BAD_SIGNAL = "Invalid signal: 5, expected an AbortSignal";
const SIGNAL_ALONE = "Invalid options: an AbortSignal, expected { signal }; a signal is passed as { signal }";

says("unknown options", [
  [
    "hostName of a listener",
    () => listen(wrong({ port: 0, hostName: LOOPBACK })),
    TypeError,
    'Unknown option "hostName": did you mean "hostname"?',
  ],
  [
    "prot of a listener",
    () => listen(wrong({ hostname: LOOPBACK, prot: 0 })),
    TypeError,
    'Unknown option "prot": did you mean "port"?',
  ],
  [
    "reusePorts of a listener",
    () => listen(wrong({ hostname: LOOPBACK, reusePorts: true })),
    TypeError,
    'Unknown option "reusePorts": did you mean "reusePort"?',
  ],
  [
    "exclusive of a listener",
    () => listen(wrong({ hostname: LOOPBACK, exclusive: true })),
    TypeError,
    'Unknown option "exclusive", TCP listeners take port, hostname, transport, tcpBacklog, reuseAddress, reusePort, ' +
    "ipv6Only, noDelay, keepAlive, interface, fastOpen, deferAccept, multipath, steer, control",
  ],
  [
    "a path without a transport, of a listener",
    () => listen(wrong({ path: "/tmp/berkeley.sock" })),
    TypeError,
    '"path" is an option of Unix sockets: pass transport: "unix" with it, or "seqpacket"',
  ],
  [
    "a path without a transport, of a dial",
    () => connect(wrong({ path: "/tmp/berkeley.sock" })),
    TypeError,
    '"path" is an option of Unix sockets: pass transport: "unix" with it, or "seqpacket"',
  ],
  [
    "packetInfo of a TCP listener",
    () => listen(wrong({ hostname: LOOPBACK, packetInfo: true })),
    TypeError,
    '"packetInfo" is an option of UDP sockets, not of TCP listeners',
  ],
  [
    "noDelay of a UDP socket",
    () => listenDatagram(wrong({ transport: "udp", noDelay: true })),
    TypeError,
    '"noDelay" is an option of TCP connections and TCP listeners, not of UDP sockets',
  ],
  [
    "port of a Unix listener",
    () => listen(wrong({ transport: "unix", path: "\0berkeley", port: 80 })),
    TypeError,
    '"port" is an option of TCP connections, TCP listeners, UDP sockets, and local addresses, not of Unix listeners',
  ],
  [
    "mode of a Unix connection",
    () => connect(wrong({ transport: "unix", path: "\0berkeley", mode: 0o600 })),
    TypeError,
    '"mode" is an option of Unix datagram sockets, Unix listeners, and seqpacket listeners, not of Unix connections',
  ],
  [
    "backlog of a TCP listener",
    () => listen(wrong({ hostname: LOOPBACK, backlog: 5 })),
    TypeError,
    '"backlog" is an option of Unix listeners and seqpacket listeners, not of TCP listeners',
  ],
  [
    "timeout of a dial",
    () => connect(wrong({ port: 1, timeout: 5 })),
    TypeError,
    'Unknown option "timeout", TCP connections take port, hostname, transport, signal, autoSelectFamily, ' +
    "autoSelectFamilyAttemptDelay, deadline, localAddress, reuseAddress, reusePort, noDelay, keepAlive, interface, " +
    "userTimeout, fastOpen, multipath, trafficClass, control",
  ],
  [
    "hos of a dial, an abbreviation of three letters",
    () => connect(wrong({ port: 1, hos: LOOPBACK })),
    TypeError,
    'Unknown option "hos": did you mean "hostname"?',
  ],
  [
    "autoselectfamily of a dial",
    () => connect(wrong({ port: 1, autoselectfamily: false })),
    TypeError,
    'Unknown option "autoselectfamily": did you mean "autoSelectFamily"?',
  ],
  [
    "host of localAddress",
    () => connect(wrong({ port: 1, localAddress: { host: LOOPBACK } })),
    TypeError,
    'Unknown option "host": did you mean "hostname"?',
  ],
  [
    "ttl of keepAlive",
    withTcp((conn) => conn.setKeepAlive(wrong({ idel: 5 }))),
    TypeError,
    'Unknown option "idel": did you mean "idle"?',
  ],
  [
    "hostname of a candidate of connectAny",
    () => connectAny(wrong([{ port: 1 }, { port: 1, hostName: LOOPBACK }])),
    TypeError,
    'candidates[1]: Unknown option "hostName": did you mean "hostname"?',
  ],
  [
    "maxlength of receiveMessage",
    withUdp((socket) => socket.receiveMessage(wrong({ maxlength: 5 }))),
    TypeError,
    'Unknown option "maxlength": did you mean "maxLength"?',
  ],
  [
    "maxFds of a UDP socket's receiveMessage",
    withUdp((socket) => socket.receiveMessage(wrong({ maxFds: 5 }))),
    TypeError,
    '"maxFds" is an option of receiveMessage of Unix sockets, not of receiveMessage of UDP sockets',
  ],
  [
    "sources of a membership",
    withUdp((socket) => socket.joinMulticast("239.255.0.1", wrong({ sources: LOOPBACK }))),
    TypeError,
    'Unknown option "sources": did you mean "source"?',
  ],
  [
    "capasity of a batch",
    () => new DatagramBatch(wrong({ capasity: 5 })),
    TypeError,
    'Unknown option "capasity": did you mean "capacity"?',
  ],
  [
    "sorce of a send",
    withUdp((socket) => socket.send(new Uint8Array(1), socket.addr, wrong({ sorce: LOOPBACK }))),
    TypeError,
    'Unknown option "sorce": did you mean "source"?',
  ],
  [
    "a misspelt signal of a read",
    withTcp((conn) => conn.read(new Uint8Array(1), wrong({ signla: signal }))),
    TypeError,
    'Unknown option "signla": did you mean "signal"?',
  ],
]);

says("options of another type", [
  [
    "a text where a listener's options go",
    () => listen(wrong("127.0.0.1:80")),
    TypeError,
    'Invalid options: "127.0.0.1:80", expected { hostname, port } or { transport, path }',
  ],
  [
    "a port where a listener's options go",
    () => listen(wrong(80)),
    TypeError,
    "Invalid options: 80, expected { hostname, port } or { transport, path }",
  ],
  [
    "null where a dial's options go",
    () => connect(wrong(null)),
    TypeError,
    "Invalid options: null, expected { hostname, port } or { transport, path }",
  ],
  [
    "a list where a dial's options go",
    () => connect(wrong([80])),
    TypeError,
    "Invalid options: [ 80 ], expected { hostname, port } or { transport, path }",
  ],
  [
    "a text for localAddress",
    () => connect(wrong({ port: 1, localAddress: LOOPBACK })),
    TypeError,
    'Invalid localAddress: "127.0.0.1", expected { hostname, port }',
  ],
  [
    "a date for localAddress",
    () => connect(wrong({ port: 1, localAddress: new Date(0) })),
    TypeError,
    "Invalid localAddress: 1970-01-01T00:00:00.000Z, expected { hostname, port }",
  ],
  [
    "an array for keepAlive",
    () => listen(wrong({ port: 0, keepAlive: [] })),
    TypeError,
    "Invalid keepAlive: [], expected a boolean or { idle, interval, count }",
  ],
  [
    "a number for steer",
    () => listen(wrong({ port: 0, reusePort: true, steer: 1 })),
    TypeError,
    'Invalid steer: 1, expected "cpu" or { byte, modulo }',
  ],
  [
    "a map for timestamps",
    () => listenDatagram(wrong({ transport: "udp", timestamps: new Map() })),
    TypeError,
    "Invalid timestamps: Map(0) {}, expected a boolean or { receive, transmit }",
  ],
  [
    "a promise of options",
    () => listen(wrong(Promise.resolve({ port: 0 }))),
    TypeError,
    "Invalid options: Promise { { port: 0 } }, expected { hostname, port }",
  ],
  [
    "bytes in the place of an operation's options",
    withUdp((socket) => socket.receive(new Uint8Array(1), wrong(new Uint8Array(1)))),
    TypeError,
    "Invalid options: Uint8Array(1) [ 0 ], expected { signal }",
  ],
  [
    "an unknown option that is inherited",
    () => listen(Object.create({ port: 0, hostName: LOOPBACK })),
    TypeError,
    'Unknown option "hostName": did you mean "hostname"?',
  ],
  [
    "a text for keepAlive",
    () => connect(wrong({ port: 1, keepAlive: "yes" })),
    TypeError,
    'Invalid keepAlive: "yes", expected a boolean or { idle, interval, count }',
  ],
  [
    "a text for a membership's options",
    withUdp((socket) => socket.joinMulticast("239.255.0.1", wrong("lo"))),
    TypeError,
    'Invalid options: "lo", expected { interface, source }',
  ],
  [
    "a signal in the place of an accept's options",
    async () => {
      using listener = listen({ hostname: LOOPBACK, port: 0 });
      await listener.accept(wrong(signal));
    },
    TypeError,
    SIGNAL_ALONE,
  ],
  [
    "a signal in the place of a read's options",
    withTcp((conn) => conn.read(new Uint8Array(1), wrong(signal))),
    TypeError,
    SIGNAL_ALONE,
  ],
  [
    "a signal in the place of a receive's options",
    withUdp((socket) => socket.receive(undefined, wrong(signal))),
    TypeError,
    SIGNAL_ALONE,
  ],
  ["a signal in the place of connectAny's options", () => connectAny([], wrong(signal)), TypeError, SIGNAL_ALONE],
  [
    "a number for a signal",
    withTcp((conn) => conn.read(new Uint8Array(1), wrong({ signal: 5 }))),
    TypeError,
    BAD_SIGNAL,
  ],
  ["a number for a dial's signal", () => connect(wrong({ port: 1, signal: 5 })), TypeError, BAD_SIGNAL],
  [
    "yes for reusePort",
    () => listen(wrong({ hostname: LOOPBACK, reusePort: "yes" })),
    TypeError,
    'Invalid reusePort: "yes", expected a boolean',
  ],
  [
    "1 for reuseAddress",
    () => listen(wrong({ hostname: LOOPBACK, reuseAddress: 1 })),
    TypeError,
    "Invalid reuseAddress: 1, expected a boolean",
  ],
  [
    "null for noDelay",
    () => connect(wrong({ port: 1, noDelay: null })),
    TypeError,
    "Invalid noDelay: null, expected a boolean",
  ],
  [
    "a text for packetInfo",
    () => udp(wrong({ packetInfo: "on" })),
    TypeError,
    'Invalid packetInfo: "on", expected a boolean',
  ],
  [
    "0 for replaceStale",
    () => listen(wrong({ transport: "unix", path: "\0b", replaceStale: 0 })),
    TypeError,
    "Invalid replaceStale: 0, expected a boolean",
  ],
  [
    "1 for credentials",
    withPair((conn) => conn.receiveMessage(wrong({ credentials: 1 }))),
    TypeError,
    "Invalid credentials: 1, expected a boolean",
  ],
  [
    "an object for control",
    () => listen(wrong({ hostname: LOOPBACK, control: {} })),
    TypeError,
    "Invalid control: {}, expected a function",
  ],
]);
