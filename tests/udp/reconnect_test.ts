import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { connect, connectAny, Socket, sockopt, type UdpListenOptions, type UdpSocket } from "../../mod.ts";
import { libc } from "../../ffi/libc/libc.ts";
import { bytes } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { inside } from "../support/inside.ts";
import { noInterfaceReading } from "../support/kernel.ts";
import { at, LOOPBACK } from "../support/loopback.ts";
import { missingNamespaces, NamespacePair } from "../support/namespaces.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { openUdp, receiveText, receiveUntilMarker } from "./support.ts";
import { linuxTable, missingOptions } from "../support/systems.ts";

noDescriptorLeaks();

const reason = await missingNamespaces();
const notLinux = linuxTable ? null : "SO_BINDTODEVICE is Linux's";

let pair: NamespacePair;
beforeAll(async () => {
  if (reason === null) pair = await NamespacePair.create();
});
afterAll(async () => {
  await pair?.[Symbol.asyncDispose]();
});

/** Sends to the peer, which answers the address it was sent from. */
async function talk(socket: UdpSocket, peer: UdpSocket): Promise<string> {
  await socket.send(bytes("hello"));
  const [, from] = await peer.receive();
  await peer.send(bytes("answer"), from);
  return await receiveText(socket);
}

/** A kernel that does not return SO_BINDTODEVICE, until the end of the block. */
class OlderKernel implements Disposable {
  readonly #real = { c: libc().c, errno: libc().errno };

  constructor() {
    const { c: real, errno } = this.#real;
    const { options, errors } = libc().system;
    let isUnknown = false;
    const getsockopt: typeof real.getsockopt = (fd, level, name, value, length) => {
      isUnknown = level === options.SO_BINDTODEVICE!.level && name === options.SO_BINDTODEVICE!.name;
      return isUnknown ? -1 : real.getsockopt(fd, level, name, value, length);
    };
    Object.assign(libc(), {
      c: Object.create(real, { getsockopt: { value: getsockopt } }),
      errno: () => {
        const number = isUnknown ? errors.ENOPROTOOPT! : errno();
        isUnknown = false;
        return number;
      },
    });
  }

  [Symbol.dispose](): void {
    Object.assign(libc(), this.#real);
  }
}

describe("A second connect()", TIMEOUT, () => {
  const left = (options: Partial<UdpListenOptions>) => inside(pair.left.name, () => openUdp(options));
  const right = (options: Partial<UdpListenOptions>) => inside(pair.right.name, () => openUdp(options));

  itUnless(reason, "leaves loopback, where the first one went, on a socket bound to all addresses", async () => {
    using near = left({ hostname: LOOPBACK });
    using far = right({ hostname: pair.right.ipv4 });
    using socket = left({ hostname: "0.0.0.0" });
    const { port } = socket.addr;
    for (const [peer, source] of [[near, LOOPBACK], [far, pair.left.ipv4], [near, LOOPBACK]] as const) {
      socket.connect(peer.addr);
      assertEquals([socket.remoteAddr, socket.addr], [peer.addr, at(source, port)]);
      assertEquals(await talk(socket, peer), "answer");
    }
  });

  it("reaches the other family on a dual-stack socket, and receives its answers", async () => {
    using v4 = openUdp();
    using v6 = openUdp({ hostname: "::1" });
    using socket = openUdp({ hostname: "::" });
    const { port } = socket.addr;
    for (const peer of [v6, v4, v6, v4]) {
      socket.connect(peer.addr);
      const source = peer === v4 ? "::ffff:127.0.0.1" : "::1";
      assertEquals(socket.addr, at(source, port));
      assertEquals(await talk(socket, peer), "answer");
    }
  });

  itUnless(
    noInterfaceReading() ?? reason,
    "goes by another interface than a link-local first peer",
    async () => {
      using near = left({ hostname: "::1" });
      using far = right({ hostname: "::" });
      using socket = left({ hostname: "::" });
      inside(pair.left.name, () => socket.connect(at(`${pair.right.linkLocal}%veth0`, far.addr.port)));
      assertEquals(await talk(socket, far), "answer");
      socket.connect(near.addr);
      assertEquals(await talk(socket, near), "answer");
      assertEquals(socket.socket.getOption(sockopt.SO_BINDTODEVICE), "");
    },
  );

  it("receives from the second peer alone", async () => {
    using first = openUdp();
    using second = openUdp();
    using socket = openUdp({ hostname: "0.0.0.0" });
    const to = at(LOOPBACK, socket.addr.port);
    socket.connect(first.addr);
    socket.connect(second.addr);
    await first.send(bytes("of the first"), to);
    await second.send(bytes("of the second"), to);
    await second.send(bytes("marker"), to);
    assertEquals(await receiveUntilMarker(socket), ["of the second"]);
  });

  itUnless(reason, "that fails leaves the first peer", async () => {
    using near = left({ hostname: LOOPBACK });
    using socket = left({ hostname: "0.0.0.0" });
    socket.connect(near.addr);
    const { addr } = socket;
    assertThrows(() => socket.connect(at("203.0.113.1", 9)), Deno.errors.NetworkUnreachable, "203.0.113.1:9");
    assertEquals([socket.remoteAddr, socket.addr], [near.addr, addr]);
    assertEquals(await talk(socket, near), "answer");
  });

  itUnless(notLinux ?? noInterfaceReading(), "and connect(null) keep the interface that a socket is bound to", () => {
    using one = openUdp();
    using other = openUdp();
    using socket = openUdp();
    socket.socket.setOption(sockopt.SO_BINDTODEVICE, "lo");
    for (const peer of [one.addr, other.addr, null, one.addr, null]) {
      socket.connect(peer);
      assertEquals(socket.socket.getOption(sockopt.SO_BINDTODEVICE), "lo");
    }
  });

  itUnless(
    missingOptions("SO_BINDTODEVICE"),
    "needs no SO_BINDTODEVICE, which older kernels do not return",
    async () => {
      using _older = new OlderKernel();
      using first = openUdp();
      using second = openUdp();
      using socket = openUdp();
      assertThrows(() => socket.socket.getOption(sockopt.SO_BINDTODEVICE), Error, "ENOPROTOOPT");
      for (const peer of [first, second]) {
        socket.connect(peer.addr);
        assertEquals(await talk(socket, peer), "answer");
      }
    },
  );

  it("through socket.connect() is noticed, as is the first", async () => {
    using first = openUdp();
    using second = openUdp();
    using socket = openUdp();
    for (const peer of [first, second]) {
      await socket.socket.connect(peer.addr);
      assertEquals(socket.remoteAddr, peer.addr);
      assertEquals(await talk(socket, peer), "answer");
    }
  });
});

describe("Port 0 of a peer", TIMEOUT, () => {
  const nowhere = at(LOOPBACK, 0);
  const says = "Invalid port (out of range): 0, expected 1 to 65535 for a peer";

  it("is refused before a UDP socket is connected to it", async () => {
    using peer = openUdp();
    using socket = openUdp();
    assertThrows(() => socket.connect(nowhere), RangeError, says);
    assertEquals(socket.remoteAddr, null);
    await assertRejects(() => socket.socket.connect(nowhere), RangeError, says);
    assertEquals(socket.socket.remoteAddr, null);
    socket.connect(peer.addr);
    assertThrows(() => socket.connect(nowhere), RangeError, says);
    assertEquals(socket.remoteAddr, peer.addr);
  });

  it("is refused as a destination", async () => {
    using socket = openUdp();
    await assertRejects(() => socket.send(bytes("x"), nowhere), RangeError, says);
    await assertRejects(
      () => socket.sendMany([{ data: bytes("x"), addr: nowhere }]),
      RangeError,
      `datagrams[0]: ${says}`,
    );
    await assertRejects(() => socket.sendSegments(bytes("x"), 1, nowhere), RangeError, says);
    await assertRejects(() => socket.send(bytes("x"), at("localhost", 0)), RangeError, says);
  });

  it("is refused before a TCP connection is dialled", async () => {
    await assertRejects(() => connect({ port: 0 }), RangeError, says);
    await assertRejects(() => connectAny([{ port: 0 }]), RangeError, says);
    using socket = Socket.open("inet", "stream");
    await assertRejects(() => socket.connect({ transport: "tcp", hostname: LOOPBACK, port: 0 }), RangeError, says);
  });
});
