import { assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";
import {
  connect,
  isSocketError,
  listen,
  listenDatagram,
  msg,
  type OwnedFd,
  type SeqpacketConn,
  Socket,
  socketPair,
  type UnixConn,
  type UnixDatagram,
  type UnixMessage,
} from "../../mod.ts";
import { nextLength } from "../../ffi/io/peek.ts";
import { bytes } from "../support/bytes.ts";
import { descriptorCount, noDescriptorLeaks } from "../support/descriptors.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { linuxTable } from "../support/systems.ts";

noDescriptorLeaks();

const [SOL_SOCKET, SO_PASSPIDFD] = [1, 76];
const ROUNDS = 50;

/** Asks for the sender's process with each message. */
function passPidfd({ socket }: { readonly socket: Socket }): void {
  socket.setRawOption(SOL_SOCKET, SO_PASSPIDFD, 1);
}

function whyNot(): string | null {
  if (!linuxTable) return "SO_PASSPIDFD is Linux's";
  using socket = Socket.open("unix", "stream");
  try {
    passPidfd({ socket });
    return null;
  } catch (error) {
    if (!isSocketError(error) || error.code !== "ENOPROTOOPT") throw error;
    return "this kernel has no SO_PASSPIDFD";
  }
}

const noPidfd = whyNot();

/** A way to receive, with its sender: `receive` is to leave no descriptor behind. */
interface Route extends Disposable {
  send(fds: Passable[]): Promise<unknown>;
  receive(): Promise<unknown>;
}

type Passable = { readonly socket: Socket };

function closeAll(message: { fds: OwnedFd[] } | null): UnixMessage {
  for (const fd of message!.fds) fd.close();
  return message as UnixMessage;
}

function over<C extends UnixConn | SeqpacketConn>([one, two]: [C, C], receive: (two: C) => Promise<unknown>): Route {
  passPidfd(two);
  return {
    send: (fds) => one.sendMessage({ data: bytes("x"), fds }),
    receive: () => receive(two),
    [Symbol.dispose]: () => [one, two].forEach((end) => end.close()),
  };
}

const stream = (receive: (two: UnixConn) => Promise<unknown>) => over(socketPair("stream"), receive);
const seqpacket = (receive: (two: SeqpacketConn) => Promise<unknown>) => over(socketPair("seqpacket"), receive);

function datagram(receive: (to: UnixDatagram) => Promise<unknown>): Route {
  const to = listenDatagram({ transport: "unixgram", path: "" });
  const from = listenDatagram({ transport: "unixgram" });
  passPidfd(to);
  return {
    send: (fds) => from.sendMessage({ data: bytes("x"), fds }, to.addr),
    receive: () => receive(to),
    [Symbol.dispose]: () => [to, from].forEach((end) => end.close()),
  };
}

async function receiveNone(conn: UnixConn | SeqpacketConn): Promise<void> {
  assertEquals((await conn.receiveMessage({ maxFds: 0 }))!.fds, []);
}

const ROUTES: Readonly<Record<string, () => Route>> = {
  "UnixConn.read": () => stream((two) => two.read(new Uint8Array(8))),
  "UnixConn.receiveMessage": () => stream(async (two) => closeAll(await two.receiveMessage())),
  "UnixConn.receiveMessage for credentials": () =>
    stream(async (two) => {
      const { credentials } = closeAll(await two.receiveMessage({ credentials: true }));
      assertEquals(credentials?.pid ?? Deno.pid, Deno.pid);
    }),
  "UnixConn.receiveMessage for no descriptors": () => stream(receiveNone),
  "SeqpacketConn.receive": () => seqpacket((two) => two.receive()),
  "SeqpacketConn.receiveMessage": () => seqpacket(async (two) => closeAll(await two.receiveMessage())),
  "SeqpacketConn.receiveMessage for no descriptors": () => seqpacket(receiveNone),
  "Socket.receive of a stream": () => stream(({ socket }) => socket.receive(new Uint8Array(8))),
  "Socket.receive of a seqpacket": () => seqpacket(({ socket }) => socket.receive(new Uint8Array(8))),
  "UnixConn.peek": () =>
    stream(async (two) => {
      for (let times = 0; times < 4; times++) assertEquals(await two.peek(new Uint8Array(8)), 1);
      await two.read(new Uint8Array(8));
    }),
  "Socket.receive with control messages": () =>
    stream(async ({ socket }) => {
      const { control, fds } = await socket.receive(new Uint8Array(8), { controlLength: 256 });
      if (control.length === 0) throw new Error("no control message");
      for (const fd of fds) fd.close();
    }),
  "Socket.receive with little room for control messages": () =>
    stream(async ({ socket }) => {
      const { fds } = await socket.receive(new Uint8Array(8), { controlLength: 24 });
      for (const fd of fds) fd.close();
    }),
  "Socket.receive that peeks at control messages": () =>
    stream(async ({ socket }) => {
      for (const flags of [msg.MSG_PEEK, msg.MSG_PEEK, 0]) {
        const { fds } = await socket.receive(new Uint8Array(8), { controlLength: 256, flags });
        for (const fd of fds) fd.close();
      }
    }),
  "UnixDatagram.receiveMessage": () => datagram(async (to) => closeAll(await to.receiveMessage())),
  "UnixDatagram.receive": () => datagram((to) => to.receive()),
  "UnixDatagram.receive into a buffer": () => datagram((to) => to.receive(new Uint8Array(8))),
  "Socket.receive of a datagram": () => datagram(({ socket }) => socket.receive(new Uint8Array(8))),
  "a peek at its length": () =>
    seqpacket(({ socket }) => {
      for (let times = 0; times < 4; times++) assertEquals(nextLength(socket.fd), 1);
      return socket.receive(new Uint8Array(8));
    }),
};

describe("The descriptor of the sender's process, which SO_PASSPIDFD adds", TIMEOUT, () => {
  for (const [route, open] of Object.entries(ROUTES)) {
    itUnless(noPidfd, `is not left open, nor are passed ones: ${route}`, async () => {
      using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
      for (const fds of [[], [udp], [udp, udp, udp]]) {
        using place = open();
        const before = descriptorCount();
        for (let round = 0; round < ROUNDS; round++) {
          await place.send(fds);
          await place.receive();
        }
        assertEquals(descriptorCount(), before, `${fds.length} passed`);
      }
    });
  }

  itUnless(noPidfd, "takes no room of passed ones", async () => {
    const [one, two] = socketPair("stream");
    passPidfd(two);
    using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
    for (const count of [0, 1, 2, 16, 253]) {
      await one.sendMessage({ data: bytes("x"), fds: Array(count).fill(udp) });
      const { fds, truncated } = closeAll(await two.receiveMessage({ maxFds: 253, credentials: true }));
      assertEquals([fds.length, truncated], [count, false]);
      await one.sendMessage({ data: bytes("x"), fds: Array(count).fill(udp) });
      const exact = closeAll(await two.receiveMessage({ maxFds: count, credentials: true }));
      assertEquals([exact.fds.length, exact.truncated], [count, false]);
    }
    one.close();
    two.close();
  });

  itUnless(noPidfd, "arrives at connections whose listener has enabled it, and is closed there", async () => {
    const path = "\0berkeley-pidfd-" + Deno.pid;
    using listener = listen({ transport: "unix", path, control: (socket) => passPidfd({ socket }) });
    using client = await connect({ transport: "unix", path });
    using server = await listener.accept();
    assertEquals(server.socket.getRawOption(SOL_SOCKET, SO_PASSPIDFD, 4)[0], 1);
    const before = descriptorCount();
    for (let round = 0; round < ROUNDS; round++) {
      await client.write(bytes("x"));
      closeAll(await server.receiveMessage());
      await client.write(bytes("x"));
      assertEquals(await server.read(new Uint8Array(8)), 1);
    }
    assertEquals(descriptorCount(), before);
  });
});
