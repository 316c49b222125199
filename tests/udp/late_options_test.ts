import { assert, assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { DatagramBatch, fromFd, Socket, sockopt, type UdpSocket } from "../../mod.ts";
import { pattern } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { notSettable } from "../support/kernel.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { openUdp } from "./support.ts";
import { linuxTable } from "../support/systems.ts";

noDescriptorLeaks();

const noOffload = sockopt.UDP_GRO.supported ? null : "no UDP_GRO on this system";
const notLinux = linuxTable ? null : "the numbers are Linux's";

const [SOL_UDP, UDP_GRO] = [17, 104];

/** Ten datagrams of 100 bytes, as one message where the kernel coalesces them. */
const SENT = Array.from({ length: 10 }, (_, index) => pattern(1000).subarray(index * 100, (index + 1) * 100));

async function sendTen(receiver: UdpSocket): Promise<void> {
  using sender = openUdp();
  await sender.sendSegments(pattern(1000), 100, receiver.addr);
}

/** Receives ten datagrams in one of the ways. */
const RECEIVES: Readonly<Record<string, (socket: UdpSocket) => Promise<Uint8Array[]>>> = {
  "receive()": async (socket) => await times(10, async () => (await socket.receive())[0]),
  "receive(p)": async (socket) => await times(10, async () => (await socket.receive(new Uint8Array(200)))[0]),
  "receiveMessage()": async (socket) => await times(10, async () => (await socket.receiveMessage()).data),
  "receiveMany()": async (socket) => {
    const batch = new DatagramBatch();
    const received: Uint8Array[] = [];
    while (received.length < 10) {
      await socket.receiveMany(batch);
      for (const { data } of batch) received.push(data.slice());
    }
    return received;
  },
};

async function times<T>(count: number, make: () => Promise<T>): Promise<T[]> {
  const made: T[] = [];
  while (made.length < count) made.push(await make());
  return made;
}

/** Ways to enable UDP_GRO other than the option that is there for it. */
const WAYS: Readonly<Record<string, (enable: (socket: Socket) => void) => UdpSocket>> = {
  "in control": (enable) => openUdp({ control: enable }),
  "later": (enable) => {
    const socket = openUdp();
    enable(socket.socket);
    return socket;
  },
  "through a duplicate": (enable) => {
    const socket = openUdp();
    using duplicate = socket.socket.duplicate();
    enable(duplicate);
    return socket;
  },
  "before it is taken over": (enable) => {
    const socket = openUdp();
    enable(socket.socket);
    return fromFd(socket.detach()) as UdpSocket;
  },
};

describe("UDP_GRO that is enabled", TIMEOUT, () => {
  for (const [way, open] of Object.entries(WAYS)) {
    for (const [name, receive] of Object.entries(RECEIVES)) {
      itUnless(noOffload ?? notLinux, `${way} does not change what ${name} returns`, async () => {
        for (
          const enable of [
            (socket: Socket) => socket.setOption(sockopt.UDP_GRO, true),
            (socket: Socket) => socket.setRawOption(SOL_UDP, UDP_GRO, 1),
          ]
        ) {
          using receiver = open(enable);
          assert(receiver.socket.getOption(sockopt.UDP_GRO));
          await sendTen(receiver);
          assertEquals(await receive(receiver), SENT);
          receiver.socket.setOption(sockopt.UDP_GRO, false);
          await sendTen(receiver);
          assertEquals(await receive(receiver), SENT);
        }
      });
    }
  }

  itUnless(noOffload ?? notLinux, "by another owner of the socket is noticed by the first message", async () => {
    using receiver = openUdp();
    using duplicate = receiver.socket.duplicate();
    // Another process that has the socket would do so without this one's knowledge.
    using other = fromFd(duplicate.detach()) as UdpSocket;
    other.socket.setOption(sockopt.UDP_GRO, true);
    for (let round = 0; round < 2; round++) {
      await sendTen(receiver);
      assertEquals(await RECEIVES["receiveMessage()"]!(receiver), SENT);
    }
  });
});

describe("Options that add details to a datagram", TIMEOUT, () => {
  const noTimestamps = notSettable(() => Socket.open("inet", "dgram"), sockopt.SO_TIMESTAMPNS, true);
  itUnless(notLinux ?? noTimestamps, "are obeyed in control and later", async () => {
    const [SO_TIMESTAMPNS] = [35];
    const ways: ((open: (socket: Socket) => void) => UdpSocket)[] = [WAYS["in control"]!, WAYS["later"]!];
    for (const open of ways) {
      using receiver = open((socket) => {
        socket.setOption(sockopt.IP_PKTINFO, true);
        socket.setOption(sockopt.IP_RECVTTL, true);
        socket.setRawOption(1, SO_TIMESTAMPNS, 1);
      });
      using sender = openUdp();
      await sender.send(pattern(3), receiver.addr);
      const { destination, localAddress, ttl, timestamp } = await receiver.receiveMessage();
      assertEquals([destination, localAddress, ttl], ["127.0.0.1", "127.0.0.1", 64]);
      assert(timestamp! > 0);
      receiver.socket.setOption(sockopt.IP_PKTINFO, false);
      await sender.send(pattern(3), receiver.addr);
      assertEquals((await receiver.receiveMessage()).destination, undefined);
    }
  });
});

describe("A UDP socket that is not bound yet", TIMEOUT, () => {
  itUnless(notLinux, "knows the address that its first send, or a bind, gives it", async () => {
    using peer = openUdp();
    using socket = unbound();
    assertEquals(socket.addr.port, 0);
    await socket.send(pattern(3), peer.addr);
    assertEquals((await peer.receive())[1].port, socket.addr.port);
    using other = unbound();
    other.socket.bind({ transport: "udp", hostname: "127.0.0.1", port: 0 });
    assertEquals(other.addr.hostname, "127.0.0.1");
    await peer.send(pattern(3), other.addr);
    assertEquals((await other.receive())[0].length, 3);
  });
});

function unbound(): UdpSocket {
  return fromFd(Socket.open("inet", "dgram").detach()) as UdpSocket;
}
