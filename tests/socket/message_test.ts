import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { connect, type ControlMessage, isSocketError, listen, msg, Socket, socketPair, sockopt } from "../../mod.ts";
import { thisSystem } from "../../ffi/libc/host.ts";
import { bytes, joined, pattern, text } from "../support/bytes.ts";
import { assertSameBytes } from "../support/assertions.ts";
import { descriptorCount, noDescriptorLeaks } from "../support/descriptors.ts";
import { at, LOOPBACK } from "../support/loopback.ts";
import { isPending, isWaiting } from "../support/promises.ts";
import { noOwnCalls, notSettable } from "../support/kernel.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { connectedPair } from "./support.ts";
import { linuxTable } from "../support/systems.ts";

noDescriptorLeaks();

const { constants } = thisSystem();
const notLinux = linuxTable ? null : "Linux alone has this";

function openUdp(domain: "inet" | "inet6" = "inet"): Socket & { localAddr: Deno.NetAddr } {
  const socket = Socket.open(domain, "dgram");
  socket.bind(at(domain === "inet" ? LOOPBACK : "::1", 0));
  return socket as Socket & { localAddr: Deno.NetAddr };
}

function numbers(...values: number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Int32Array.from(values).buffer);
}

describe("Socket.receive() with flags", TIMEOUT, () => {
  it("leaves what it only peeks at", async () => {
    using socket = openUdp();
    await socket.send(bytes("hello"), socket.localAddr);
    for (const flags of [msg.MSG_PEEK, 0]) {
      const p = new Uint8Array(8);
      const { length } = await socket.receive(p, { flags });
      assertEquals(text(p.subarray(0, length)), "hello");
    }
    assert(await isWaiting((signal) => socket.receive(new Uint8Array(1), { signal })));
  });

  itUnless(notLinux, "returns the whole length of a datagram with MSG_TRUNC", async () => {
    using socket = openUdp();
    await socket.send(pattern(100), socket.localAddr);
    const { length, flags } = await socket.receive(new Uint8Array(3), { flags: msg.MSG_TRUNC });
    assertEquals([length, flags & msg.MSG_TRUNC], [100, msg.MSG_TRUNC]);
  });

  it("takes urgent data out of line", async () => {
    using pair = await connectedPair();
    await pair.client.send(bytes("ab"));
    await pair.client.send(bytes("!"), undefined, { flags: msg.MSG_OOB });
    await pair.server.readable();
    const urgent = new Uint8Array(1);
    for (;;) {
      const received = await pair.server.receive(urgent, { flags: msg.MSG_OOB }).catch((error) => error);
      if (!(received instanceof Error)) break;
      // It has not arrived yet.
      assert(isSocketError(received) && received.code === "EINVAL", String(received));
      await new Promise((resolve) => setImmediate(resolve));
    }
    assertEquals(text(urgent), "!");
    const p = new Uint8Array(8);
    assertEquals((await pair.server.receive(p)).length, 2);
  });

  itUnless(
    notLinux,
    "waits for errors of earlier packets with MSG_ERRQUEUE, and returns them with their report",
    async () => {
      using gone = openUdp();
      const { localAddr } = gone;
      gone.close();
      using socket = openUdp();
      socket.setOption(sockopt.IP_RECVERR, true);
      const p = new Uint8Array(32);
      const waiting = socket.receive(p, { flags: msg.MSG_ERRQUEUE!, controlLength: 256 });
      assert(await isPending(waiting));
      await socket.send(bytes("nobody?"), localAddr);
      const { length, flags, control, address } = await waiting;
      assertEquals([text(p.subarray(0, length)), flags & msg.MSG_ERRQUEUE!], ["nobody?", msg.MSG_ERRQUEUE]);
      assertEquals(address.slice(4, 8), Uint8Array.of(127, 0, 0, 1));
      const { level, name } = thisSystem().options.IP_RECVERR!;
      const report = control.find((message) => message.level === level && message.type === name)!;
      // ee_errno, ee_origin, ee_type and ee_code: ECONNREFUSED of ICMP, destination unreachable, port unreachable.
      assertEquals([report.data[0], report.data[4], report.data[5], report.data[6]], [111, 2, 3, 3]);
    },
  );

  it("counts the bytes of a connection that are taken, not those that are peeked at or urgent", async () => {
    using listener = listen({ hostname: LOOPBACK, port: 0 });
    using client = await connect({ port: listener.addr.port });
    using server = await listener.accept();
    await client.write(bytes("abc"));
    await server.socket.receive(new Uint8Array(8), { flags: msg.MSG_PEEK });
    assertEquals([client.bytesWritten, server.bytesRead], [3, 0]);
    await server.socket.receive(new Uint8Array(8));
    assertEquals(server.bytesRead, 3);
    await client.socket.send(bytes("!"), undefined, { flags: msg.MSG_OOB });
    let urgent: unknown = null;
    while (urgent === null) {
      // It has not arrived yet where the call fails.
      urgent = await server.socket.receive(new Uint8Array(1), { flags: msg.MSG_OOB }).catch(() => null);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assertEquals(server.bytesRead, 3);
  });

  it("refuses internal flags and invalid control lengths", async () => {
    using socket = openUdp();
    const p = new Uint8Array(1);
    for (const flags of [0x4000_0000, 1.5, "2", 2n, null]) {
      await assertRejects(() => socket.receive(p, { flags: flags as number }), TypeError, "flags");
    }
    // MSG_ZEROCOPY and MSG_FASTOPEN.
    for (const flags of [0x400_0000, 0x2000_0000]) {
      await assertRejects(() => socket.send(p, socket.localAddr, { flags }), TypeError, "flags");
    }
    for (const controlLength of [-1, 65_537, 1.5, NaN]) {
      await assertRejects(() => socket.receive(p, { controlLength }), RangeError, "controlLength");
    }
    for (const controlLength of [0, 65_536]) {
      await socket.send(p, socket.localAddr);
      assertEquals((await socket.receive(p, { controlLength })).length, 1);
    }
    await assertRejects(() => socket.receive(p, { control: [] } as object), TypeError, "control");
  });
});

describe("Control messages", TIMEOUT, () => {
  itUnless(notLinux, "have the destination of a datagram and its TTL", async () => {
    using socket = openUdp();
    socket.setOption(sockopt.IP_PKTINFO, true);
    socket.setOption(sockopt.IP_RECVTTL, true);
    const ttl = { level: constants.IPPROTO_IP, type: constants.IP_TTL_MESSAGE, data: numbers(42) };
    await socket.send(bytes("x"), socket.localAddr, { control: [ttl] });
    const { control, flags } = await socket.receive(new Uint8Array(1), { controlLength: 128 });
    const of = (type: number) => control.find((message) => message.type === type)?.data;
    assertEquals([of(constants.IP_TTL_MESSAGE), flags], [numbers(42), 0]);
    assertEquals(of(constants.IP_PKTINFO)?.slice(8), Uint8Array.of(127, 0, 0, 1));
  });

  itUnless(notLinux, "choose the source address of one datagram", async () => {
    using receiver = openUdp();
    using sender = Socket.open("inet", "dgram");
    sender.bind(at("0.0.0.0", 0));
    const data = Uint8Array.of(0, 0, 0, 0, 127, 0, 0, 9, 0, 0, 0, 0);
    const source = { level: constants.IPPROTO_IP, type: constants.IP_PKTINFO, data };
    await sender.send(bytes("x"), receiver.localAddr, { control: [source] });
    const { address } = await receiver.receive(new Uint8Array(1));
    assertEquals(address.slice(4, 8), Uint8Array.of(127, 0, 0, 9));
  });

  it("without room are left out", async () => {
    using socket = openUdp();
    if (sockopt.IP_RECVTTL.supported) socket.setOption(sockopt.IP_RECVTTL, true);
    await socket.send(bytes("xy"), socket.localAddr);
    assertEquals((await socket.receive(new Uint8Array(2))).control, []);
  });

  it("that are invalid are refused before anything is sent", async () => {
    using socket = openUdp();
    const good = { level: constants.IPPROTO_IP, type: constants.IP_TTL_MESSAGE, data: numbers(1) };
    const wrong: unknown[] = [
      "x",
      [null],
      [{ ...good, level: "0" }],
      [{ ...good, type: 2 ** 33 }],
      [{ ...good, data: [1] }],
      [{ ...good, data: new Uint8Array(new SharedArrayBuffer(4)) }],
      [good, { ...good, data: new Uint8Array(65_536) }],
    ];
    for (const control of wrong) {
      const error = await socket.send(bytes("x"), socket.localAddr, { control: control as ControlMessage[] })
        .catch((error) => error);
      assert(error instanceof TypeError || error instanceof RangeError, Deno.inspect(control));
    }
    assert(await isWaiting((signal) => socket.receive(new Uint8Array(1), { signal })));
  });
});

describe("Descriptors in control messages", TIMEOUT, () => {
  function pair(): [Socket, Socket] {
    const [one, two] = socketPair("stream");
    return [Socket.fromFd(one.detach()), Socket.fromFd(two.detach())];
  }

  function rights(...fds: number[]): ControlMessage {
    return { level: constants.SOL_SOCKET, type: constants.SCM_RIGHTS, data: numbers(...fds) };
  }

  it("are owned by the received message, in their order", async () => {
    const [one, two] = pair();
    using first = openUdp();
    using second = Socket.open("inet", "stream");
    await one.send(bytes("take"), undefined, { control: [rights(first.fd, second.fd)] });
    const { fds, control } = await two.receive(new Uint8Array(4), { controlLength: 256 });
    assertEquals(fds.map((fd) => Socket.fromFd(fd.detach())).map(closed), [2, 1]);
    assertEquals([control.length, control[0]!.data.length], [1, 8]);
    one.close();
    two.close();
  });

  function closed(socket: Socket): number {
    using same = socket;
    return same.getOption(sockopt.SO_TYPE);
  }

  itUnless(noOwnCalls, "are never left open without an owner: no room, little room, peeked at", async () => {
    const [one, two] = pair();
    using udp = openUdp();
    const before = descriptorCount();
    const cases = [
      { controlLength: 0 },
      { controlLength: 16 },
      { controlLength: 24 },
      { controlLength: 256, flags: msg.MSG_PEEK },
      { controlLength: 256 },
    ];
    for (const options of cases) {
      await one.send(bytes("x"), undefined, { control: [rights(udp.fd, udp.fd, udp.fd)] });
      const { fds } = await two.receive(new Uint8Array(1), options);
      for (const fd of fds) fd.close();
      assertEquals(descriptorCount(), before, Deno.inspect(options));
    }
    const { fds } = await two.receive(new Uint8Array(1), { controlLength: 256 });
    for (const fd of fds) fd.close();
    one.close();
    two.close();
  });

  const noProcesses = notSettable(() => Socket.open("unix", "stream"), sockopt.SO_PASSPIDFD, true);
  itUnless(noProcesses, "can be the sender's process", async () => {
    const [one, two] = pair();
    two.setOption(sockopt.SO_PASSPIDFD, true);
    await one.send(bytes("x"));
    const { fds, control } = await two.receive(new Uint8Array(1), { controlLength: 64 });
    assertEquals([fds.length, control.map(({ type }) => type)], [1, [constants.SCM_PIDFD]]);
    const info = await Deno.readTextFile(`/proc/self/fdinfo/${fds[0]!.fd}`);
    assertEquals(/^Pid:\t(\d+)$/m.exec(info)?.[1], String(Deno.pid));
    fds[0]!.close();
    one.close();
    two.close();
  });
});

describe("Socket.send() of several buffers", TIMEOUT, () => {
  it("sends one message", async () => {
    using socket = openUdp();
    const parts = [bytes("one "), new Uint8Array(0), bytes("message "), pattern(5000)];
    assertEquals(await socket.send(parts, socket.localAddr), 5012);
    const p = new Uint8Array(6000);
    const { length } = await socket.receive(p);
    assertSameBytes(p.subarray(0, length), joined(parts));
  });

  it("sends one message of more buffers than one call takes", async () => {
    using socket = openUdp();
    const parts = Array.from({ length: 3000 }, (_, index) => pattern(index % 3, index));
    await socket.send(parts, socket.localAddr);
    const p = new Uint8Array(6000);
    const { length } = await socket.receive(p);
    assertSameBytes(p.subarray(0, length), joined(parts));
  });

  it("sends an empty message for no buffer", async () => {
    using socket = openUdp();
    assertEquals(await socket.send([], socket.localAddr), 0);
    assertEquals((await socket.receive(new Uint8Array(1))).length, 0);
  });

  it("refuses a list with something else in it, and says where", async () => {
    using socket = openUdp();
    const detached = new Uint8Array(4);
    detached.buffer.transfer();
    for (const odd of ["x", null, [1], detached, new Uint8Array(new SharedArrayBuffer(1))]) {
      const parts = [bytes("a"), odd] as Uint8Array[];
      await assertRejects(() => socket.send(parts, socket.localAddr), TypeError, "Buffer 1 of 2");
    }
  });

  itUnless(notLinux, "holds back what MSG_MORE announces", async () => {
    using receiver = openUdp();
    using sender = Socket.open("inet", "dgram");
    await sender.connect(receiver.localAddr);
    await sender.send(bytes("one "), undefined, { flags: msg.MSG_MORE! });
    await sender.send(bytes("datagram"));
    const p = new Uint8Array(32);
    assertEquals((await receiver.receive(p)).length, 12);
  });
});

describe("Addresses of a Socket", TIMEOUT, () => {
  it("are typed objects", async () => {
    using pair = await connectedPair();
    const { client, server } = pair;
    assertEquals(client.localAddr, server.remoteAddr);
    assertEquals((server.localAddr as Deno.NetAddr).transport, "tcp");
    using udp = openUdp("inet6");
    assertEquals([udp.localAddr.transport, udp.localAddr.hostname, udp.remoteAddr], ["udp", "::1", null]);
    using unix = Socket.open("unix", "stream");
    assertEquals([unix.localAddr, unix.remoteAddr], [{ transport: "unix", path: null }, null]);
    using datagrams = Socket.open("unix", "dgram");
    assertEquals(datagrams.localAddr, { transport: "unixpacket", path: null });
  });

  itUnless(notLinux, "are bytes where the family is not known here", () => {
    using netlink = Socket.open(16, 3, 0);
    const address = netlink.localAddr;
    assert(address instanceof Uint8Array);
    assertEquals([address.length, address[0]], [12, 16]);
    assertEquals((netlink.remoteAddr as Uint8Array).length, 12);
  });

  it("are those of an open socket", () => {
    const socket = Socket.open("inet", "dgram");
    socket.close();
    assertThrows(() => socket.localAddr, Deno.errors.BadResource);
    assertThrows(() => socket.remoteAddr, Deno.errors.BadResource);
  });
});
