/**
 * Makes several hundred system calls that fail, of many kinds in an order of its own, and prints every error that does
 * not tell the right code: `failing_calls.ts <seed>`. It ends with the number of calls made.
 *
 * @module
 */
import { fromFd, isSocketError, listenDatagram, Socket, sockopt } from "../../../mod.ts";
import { linuxTable } from "../../support/systems.ts";

const ROUNDS = 16;

/** A privileged port without a listener. */
const DISCARD = 9;

const loopback = (port: number): Deno.NetAddr => ({ transport: "udp", hostname: "127.0.0.1", port });

/** Opens a socket for one call. */
async function on(
  domain: "inet" | "inet6" | "unix",
  type: "stream" | "dgram",
  call: (socket: Socket) => unknown,
): Promise<void> {
  using socket = Socket.open(domain, type);
  await call(socket);
}

/** Calls by what they must fail with. */
const calls: Record<string, () => unknown> = {
  "EADDRINUSE bind": () => {
    using first = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
    listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: first.addr.port });
  },
  "EADDRNOTAVAIL bind": () => on("inet", "dgram", (socket) => socket.bind({ ...loopback(0), hostname: "192.0.2.254" })),
  "EINVAL bind": () =>
    on("inet", "dgram", (socket) => {
      socket.bind(loopback(0));
      socket.bind(loopback(0));
    }),
  "EAFNOSUPPORT bind": () => on("inet", "dgram", (socket) => socket.bind(Uint8Array.from({ length: 16 }, () => 99))),
  "EAFNOSUPPORT socket": () => Socket.open(9999, "dgram"),
  "EOPNOTSUPP listen": () => on("inet", "dgram", (socket) => socket.listen()),
  "ENOTCONN shutdown": () => on("inet", "stream", (socket) => socket.shutdown("both")),
  "EDESTADDRREQ sendmsg": () => on("inet", "dgram", (socket) => socket.send(new Uint8Array(1))),
  "EMSGSIZE sendmsg": () => on("inet", "dgram", (socket) => socket.send(new Uint8Array(70_000), loopback(DISCARD))),
  "EACCES sendmsg": () =>
    on(
      "inet",
      "dgram",
      (socket) => socket.send(new Uint8Array(1), { ...loopback(DISCARD), hostname: "127.255.255.255" }),
    ),
  "ECONNREFUSED recvmsg": () =>
    on("inet", "dgram", async (socket) => {
      await socket.connect(loopback(DISCARD));
      await socket.send(new Uint8Array(1));
      await socket.receive(new Uint8Array(1));
    }),
  "ECONNREFUSED connect": () =>
    on("inet", "stream", (socket) => socket.connect({ ...loopback(DISCARD), transport: "tcp" })),
  "ENOENT connect": () =>
    on("unix", "stream", (socket) => socket.connect({ transport: "unix", path: "/no/such/directory/socket" })),
  "ENOPROTOOPT setsockopt": () => on("inet", "dgram", (socket) => socket.setRawOption(0, 9999, 1)),
  "ENOPROTOOPT getsockopt": () => on("inet", "dgram", (socket) => socket.getRawOption(0, 9999, 4)),
  // A Unix socket has no options of other levels: Linux and BSD say so in different ways.
  [linuxTable ? "EOPNOTSUPP getsockopt" : "ENOPROTOOPT getsockopt"]: () =>
    on("unix", "stream", (socket) => socket.getRawOption(0x7fff, 1, 4)),
  "EINVAL setsockopt": () => on("inet", "dgram", (socket) => socket.setOption(sockopt.IP_TTL, 256)),
  "ENODEV if_nametoindex": () => udp.joinMulticast("239.255.31.1", { interface: "nosuch0" }),
  "EADDRINUSE setsockopt": () => udp.joinMulticast("239.255.31.2", { interface: "127.0.0.1" }),
  "EADDRNOTAVAIL setsockopt": () => membership.unblockSource("127.0.0.9"),
  "EBADF getsockopt": () => fromFd(1_000_000),
  "ETIMEDOUT recvmsg": async () => {
    udp.setReadDeadline(new Date(0));
    try {
      await udp.receive();
    } finally {
      udp.setReadDeadline(null);
    }
  },
};

/** A generator of its own for each seed: mulberry32. */
function generator(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const random = generator(Number(Deno.args[0]));

async function outcome(call: () => unknown): Promise<string> {
  try {
    await call();
    return "nothing";
  } catch (error) {
    return isSocketError(error) ? `${error.code} ${error.syscall}` : String(error);
  }
}

/** What may stand between two calls in a program. */
async function pause(): Promise<void> {
  const kind = Math.floor(random() * 5);
  if (kind === 0) await Promise.resolve();
  else if (kind === 1) await new Promise((resolve) => setImmediate(resolve));
  else if (kind === 2) Array.from({ length: 2000 }, (_, index) => ({ index }));
  else if (kind === 3) new Uint8Array(1 << 16).fill(1);
}

// The first failing call of the process is one of all kinds, before any other socket was opened.
const simple = [
  "EAFNOSUPPORT socket",
  "EADDRNOTAVAIL bind",
  "EADDRINUSE bind",
  "EOPNOTSUPP listen",
  "EBADF getsockopt",
];
const first = simple[Math.floor(random() * simple.length)]!;
const firstOutcome = await outcome(calls[first]!);
if (firstOutcome !== first) console.log(`The first call: ${firstOutcome} instead of ${first}`);

const udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
const membership = udp.joinMulticast("239.255.31.2", { interface: "127.0.0.1" });

let made = 1;
for (let round = 0; round < ROUNDS; round++) {
  const order = Object.keys(calls).map((name) => [random(), name] as const).sort(([a], [b]) => a - b);
  for (const [, name] of order) {
    await pause();
    const told = await outcome(calls[name]!);
    if (told !== name) console.log(`Call ${made}: ${told} instead of ${name}`);
    made++;
  }
}
udp.close();
console.log(`${made} calls`);
