import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe } from "@std/testing/bdd";
import { DatagramBatch, isSocketError, type UdpListenOptions, type UdpSocket } from "../../mod.ts";
import { bytes, pattern } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { inside } from "../support/inside.ts";
import { at } from "../support/loopback.ts";
import { missingNamespaces, NamespacePair } from "../support/namespaces.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { pieces, receiveAll, VECTORED } from "./datagrams.ts";
import { openUdp } from "./support.ts";
import { missingOptions } from "../support/systems.ts";

noDescriptorLeaks();

const noNamespaces = await missingNamespaces();
const noOffload = VECTORED ? null : "no segmentation offload here";

// <asm-generic/socket.h>, <linux/in.h>, <linux/in6.h>.
const SOL_SOCKET = 1;
const SO_NO_CHECK = 11;
const MTU_DISCOVER = { ipv4: [0, 10], ipv6: [41, 23] } as const;
const PMTUDISC_DO = 2;

/** Sends a buffer in segments, checks what arrives, and returns how many datagrams the first message held: one where nothing was
 * coalesced on the way. */
async function sendAndCheck(sender: UdpSocket, receiver: UdpSocket, length: number, size: number): Promise<number> {
  const p = pattern(length, size);
  assertEquals(await sender.sendSegments(p, size, receiver.addr), length);
  const one = new DatagramBatch({ capacity: 1 });
  const received = await receiveAll(receiver, 1, one);
  const held = received.length;
  received.push(...await receiveAll(receiver, Math.ceil(length / size) - held));
  assertEquals(received.map(({ data }) => data), pieces(p, size));
  return held;
}

describe("sendSegments() if segmentation is refused", TIMEOUT, () => {
  itUnless(noOffload, "sends plain datagrams, as on a socket without checksums", async () => {
    using receiver = openUdp({ receiveOffload: true });
    using sender = openUdp();
    sender.socket.setRawOption(SOL_SOCKET, SO_NO_CHECK, 1);
    for (const size of [1000, 1000, 100, 2000]) assertEquals(await sendAndCheck(sender, receiver, 9999, size), 1);
    sender.socket.setRawOption(SOL_SOCKET, SO_NO_CHECK, 0);
    assertEquals(await sendAndCheck(sender, receiver, 9999, 100), 1, "A size once refused was tried again");
  });
});

let pair: NamespacePair;
beforeAll(async () => {
  if (noNamespaces === null) pair = await NamespacePair.create();
});
afterAll(async () => {
  await pair?.[Symbol.asyncDispose]();
});

describe("sendSegments() over a cable", TIMEOUT, () => {
  itUnless(noNamespaces, "reports an address that the socket cannot send to, and keeps the offload", async () => {
    using receiver = inside(pair.left.name, () => openUdp({ receiveOffload: true }));
    using sender = inside(pair.left.name, () => openUdp());
    const elsewhere = at(pair.right.ipv4, 9);
    const error = await sender.sendSegments(bytes("abc"), 1, elsewhere).then(() => null, (error) => error);
    assert(isSocketError(error));
    assertEquals([error.code, error.bytesWritten, error.address], ["EINVAL", 0, "192.0.2.2:9"]);
    assertEquals(await sendAndCheck(sender, receiver, 64, 1), VECTORED ? 64 : 1);
  });

  /** A sender on the left and a receiver on the right. */
  function openPair(family: "ipv4" | "ipv6"): [UdpSocket, UdpSocket] {
    const open = (side: "left" | "right", options: Partial<UdpListenOptions>) =>
      inside(pair[side].name, () => openUdp({ hostname: pair[side][family], ...options }));
    return [open("left", {}), open("right", { receiveOffload: true, receiveBufferSize: 1 << 22 })];
  }

  for (const family of ["ipv4", "ipv6"] as const) {
    itUnless(
      missingOptions("UDP_GRO") ?? noNamespaces,
      `sends fragments if segments are longer than the MTU: ${family}`,
      async () => {
        const [sender, receiver] = openPair(family);
        using _sender = sender;
        using _receiver = receiver;
        const longest = family === "ipv4" ? 1472 : 1452;
        for (const size of [longest + 1, 9000, 40_000, 65_507]) {
          assertEquals(await sendAndCheck(sender, receiver, 100_000, size), 1);
        }
        for (const size of [longest, 1, 100, longest]) {
          const held = await sendAndCheck(sender, receiver, size * 8, size);
          if (VECTORED) assertEquals(held, 8, "What fits is still segmented");
        }
      },
    );

    itUnless(
      missingOptions("IP_MTU_DISCOVER") ?? noNamespaces,
      `reports how much was sent if fragments are forbidden: ${family}`,
      async () => {
        const [sender, receiver] = openPair(family);
        using _sender = sender;
        using _receiver = receiver;
        const [level, name] = MTU_DISCOVER[family];
        sender.socket.setRawOption(level, name, PMTUDISC_DO);
        const error = await sender.sendSegments(pattern(9000, 1), 3000, receiver.addr).then(
          () => null,
          (error) => error,
        );
        assert(isSocketError(error));
        assertEquals([error.code, error.syscall, error.bytesWritten], ["EMSGSIZE", "sendmsg", 0]);
        assertEquals(await sendAndCheck(sender, receiver, 800, 100), VECTORED ? 8 : 1);
      },
    );
  }
});
