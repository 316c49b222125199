/**
 * What is said of what the system refuses, of waits and of buffers.
 *
 * @module
 */
import { connect, connectAny, listen, socketPair } from "../../mod.ts";
import { at, LOOPBACK } from "../support/loopback.ts";
import { detached, ONE, says, udp, withTcp, withUdp, wrong } from "./support.ts";

const SHARE = "pass reusePort: true to every socket that is to share the port, or port: 0 for a free one";

says("refused system calls", [
  [
    "a TCP port in use",
    withTcp((conn) => listen({ hostname: LOOPBACK, port: conn.remoteAddr.port }).close()),
    Deno.errors.AddrInUse,
    `bind 127.0.0.1:*: address already in use (EADDRINUSE); ${SHARE}`,
  ],
  [
    "a broadcast address to stay connected to",
    withUdp((socket) => socket.connect(at("127.255.255.255", 9)), { broadcast: false }),
    Deno.errors.PermissionDenied,
    "connect 127.255.255.255:9: permission denied (EACCES); a broadcast address needs broadcast: true",
  ],
  [
    "a UDP port in use",
    withUdp(({ addr }) => udp({ port: addr.port }).close()),
    Deno.errors.AddrInUse,
    `bind 127.0.0.1:*: address already in use (EADDRINUSE); ${SHARE}`,
  ],
  [
    "a port without a listener",
    withUdp(({ addr }) => connect({ port: addr.port })),
    Deno.errors.ConnectionRefused,
    "connect 127.0.0.1:*: connection refused (ECONNREFUSED)",
  ],
  [
    "ten ports without a listener",
    withUdp(({ addr }) => connectAny(Array.from({ length: 10 }, () => ({ port: addr.port })))),
    AggregateError,
    "None of 10 candidates answered",
  ],
  [
    "a write to a closed peer",
    async () => {
      const [one, two] = socketPair("stream");
      using closing = one;
      two.close();
      await closing.write(ONE);
    },
    Deno.errors.BrokenPipe,
    "sendmsg: broken pipe (EPIPE)",
  ],
  [
    "a broadcast without the option",
    withUdp((socket) => socket.send(ONE, at("127.255.255.255", 9)), { hostname: "0.0.0.0", broadcast: false }),
    Deno.errors.PermissionDenied,
    "sendmsg 127.255.255.255:9: permission denied (EACCES); a broadcast address needs broadcast: true",
  ],
]);

says("waits", [
  [
    "a deadline that is no number",
    withUdp((socket) => socket.setDeadline(NaN)),
    TypeError,
    "Invalid deadline: NaN, expected a Date, milliseconds from now or null",
  ],
  [
    "a deadline that is no date",
    withUdp((socket) => socket.setReadDeadline(new Date(NaN))),
    TypeError,
    "Invalid deadline: Invalid Date, expected a Date, milliseconds from now or null",
  ],
  [
    "a read past its deadline",
    withTcp((conn) => {
      conn.setReadDeadline(new Date(0));
      return conn.read(new Uint8Array(1));
    }),
    Deno.errors.TimedOut,
    "recvmsg: deadline exceeded",
  ],
  [
    "a dial past its deadline",
    () => connect({ port: 1, deadline: new Date(0) }),
    Deno.errors.TimedOut,
    "connect 127.0.0.1:1: deadline exceeded",
  ],
  [
    "a send past its deadline",
    withUdp((socket) => {
      socket.setWriteDeadline(new Date(0));
      return socket.send(ONE, at(LOOPBACK, 9));
    }),
    Deno.errors.TimedOut,
    "sendmsg 127.0.0.1:9: deadline exceeded",
  ],
  [
    "a list of sends past its deadline",
    withUdp((socket) => {
      socket.setWriteDeadline(new Date(0));
      return socket.sendMany([{ data: ONE, addr: at(LOOPBACK, 9) }]);
    }),
    Deno.errors.TimedOut,
    "sendmmsg 127.0.0.1:9: deadline exceeded",
  ],
  [
    "segments past their deadline",
    withUdp((socket) => {
      socket.setWriteDeadline(new Date(0));
      return socket.sendSegments(ONE, 1, at(LOOPBACK, 9));
    }),
    Deno.errors.TimedOut,
    "sendmsg 127.0.0.1:9: deadline exceeded",
  ],
  [
    "a bare socket's send past its deadline",
    withUdp((socket) => {
      socket.setWriteDeadline(new Date(0));
      return socket.socket.send(ONE, at(LOOPBACK, 9));
    }),
    Deno.errors.TimedOut,
    "sendmsg 127.0.0.1:9: deadline exceeded",
  ],
  [
    "a bare socket's connect past its deadline",
    withUdp((socket) => {
      socket.setWriteDeadline(new Date(0));
      return socket.socket.connect(at(LOOPBACK, 9));
    }),
    Deno.errors.TimedOut,
    "connect 127.0.0.1:9: deadline exceeded",
  ],
  [
    "an object in place of a signal",
    withUdp((socket) => socket.receive(undefined, { signal: wrong({}) })),
    TypeError,
    "Invalid signal: {}, expected an AbortSignal",
  ],
  [
    "a time in place of a signal",
    () => connect({ port: 1, signal: wrong(1_000) }),
    TypeError,
    "Invalid signal: 1000, expected an AbortSignal",
  ],
  [
    "a receive cut off by close",
    withUdp((socket) => {
      const receiving = socket.receive();
      socket.close();
      return receiving;
    }),
    Deno.errors.Interrupted,
    "The operation was cut off: its socket was closed",
  ],
  [
    "a closed UDP socket",
    withUdp((socket) => {
      socket.close();
      return socket.receive();
    }),
    Deno.errors.BadResource,
    "Socket has been closed",
  ],
  [
    "a closed connection",
    withTcp((conn) => {
      conn.close();
      return conn.read(new Uint8Array(1));
    }),
    Deno.errors.BadResource,
    "Bad resource ID: the connection has been closed",
  ],
  [
    "a closed listener",
    () => {
      const listener = listen({ hostname: LOOPBACK, port: 0 });
      listener.close();
      return listener.accept();
    },
    Deno.errors.BadResource,
    "Listener has been closed",
  ],
]);

says("buffers", [
  [
    "text",
    withTcp((conn) => conn.write(wrong("hello"))),
    TypeError,
    'Expected a Uint8Array, got "hello"; new TextEncoder().encode() makes one of text',
  ],
  [
    "much text",
    withTcp((conn) => conn.write(wrong("x".repeat(70_000)))),
    TypeError,
    `Expected a Uint8Array, got "${"x".repeat(200)}…"; new TextEncoder().encode() makes one of text`,
  ],
  [
    "an ArrayBuffer",
    withUdp((socket) => socket.receive(wrong(new ArrayBuffer(8)))),
    TypeError,
    "Expected a Uint8Array, got ArrayBuffer",
  ],
  ["nothing", withTcp((conn) => conn.read(wrong(undefined))), TypeError, "Expected a Uint8Array, got undefined"],
  [
    "shared memory",
    withTcp((conn) => conn.read(new Uint8Array(new SharedArrayBuffer(8)))),
    TypeError,
    "The buffer is shared with other threads: copy it into memory of its own first",
  ],
  [
    "memory transferred away",
    withTcp((conn) => conn.write(detached())),
    TypeError,
    "The buffer is detached: its memory was transferred away",
  ],
  [
    "memory that shrinks while it is written",
    async () => {
      const [one, two] = socketPair("stream");
      using writer = one;
      using reader = two;
      const bytes = new Uint8Array(new ArrayBuffer(64 << 20, { maxByteLength: 64 << 20 }));
      const writing = writer.write(bytes);
      bytes.buffer.resize(8);
      Array.fromAsync(reader.readable).catch(() => {});
      await writing;
    },
    TypeError,
    "The buffer shrank from 67108864 bytes to 8 while it was being written",
  ],
]);
