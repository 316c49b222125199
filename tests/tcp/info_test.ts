import { assert, assertEquals, assertGreater, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { connect, fromFd, listen, Socket, type TcpConn } from "../../mod.ts";
import { decodeInfo } from "../../ffi/tcp/info.ts";
import { linux_x86_64 } from "../../ffi/libc/linux.ts";
import { macos_aarch64 } from "../../ffi/libc/macos.ts";
import { freebsd } from "../../ffi/libc/freebsd.ts";
import type { System } from "../../ffi/libc/system.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { LOOPBACK } from "../support/loopback.ts";
import { noTcpInfo, unknownHere } from "../support/kernel.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { linuxTable } from "../support/systems.ts";

noDescriptorLeaks();

const notLinux = linuxTable ? noTcpInfo() : "what Linux fills";

async function connected(): Promise<[TcpConn, TcpConn]> {
  using listener = listen({ hostname: LOOPBACK, port: 0 });
  return await Promise.all([connect({ port: listener.addr.port }), listener.accept()]);
}

/** Why no Multipath TCP can be tried, found out by trying. */
function withoutMultipath(): string | null {
  const [IPPROTO_MPTCP, SOL_MPTCP, MPTCP_INFO] = [262, 284, 1];
  try {
    using socket = Socket.open("inet", "stream", IPPROTO_MPTCP);
    return unknownHere("MPTCP_INFO", () => socket.getRawOption(SOL_MPTCP, MPTCP_INFO, 64));
  } catch (error) {
    return `no Multipath TCP: ${(error as Error).message}`;
  }
}

describe("TcpConn.info()", TIMEOUT, () => {
  itUnless(notLinux, "returns the state, the sizes and the counters", async () => {
    const [client, server] = await connected();
    await client.write(new Uint8Array(100_000));
    for (let left = 100_000; left > 0;) left -= (await server.read(new Uint8Array(65_536)))!;
    await server.write(new Uint8Array(10));
    await client.read(new Uint8Array(10));
    const info = client.info();
    assertEquals([info.state, info.bytesReceived, info.multipath], ["established", 10, false]);
    assertEquals([info.bytesSent, info.bytesAcked], [100_000, 100_001], "the SYN counts as acknowledged");
    assertEquals([info.totalRetransmits, info.retransmits, info.lost, info.bytesRetransmitted], [0, 0, 0, 0]);
    assertEquals([info.unacknowledged, info.notSentBytes, info.pathMtu], [0, 0, 65_535]);
    assert(info.rtt > 0 && info.rtt < 1000 && info.minRtt! <= info.rtt, String(info.rtt));
    assert(info.rttVariance >= 0 && info.retransmitTimeout >= 200);
    assertGreater(info.sendMss, 16_000);
    assertGreater(info.receiveMss, 500);
    assertGreater(info.congestionWindow, 1);
    assertEquals(info.slowStartThreshold, Infinity);
    assertGreater(info.deliveryRate!, 0);
    assertGreater(info.pacingRate!, 0);
    client.close();
    server.close();
  });

  itUnless(notLinux, "follows the connection to its end", async () => {
    const [client, server] = await connected();
    await client.closeWrite();
    assertEquals(await server.read(new Uint8Array(1)), null);
    assertEquals(server.info().state, "close-wait");
    assert(["fin-wait-1", "fin-wait-2"].includes(client.info().state));
    client.close();
    server.close();
    assertThrows(() => client.info(), Deno.errors.BadResource);
  });

  itUnless(withoutMultipath(), "distinguishes Multipath TCP from a fallback to plain TCP", async () => {
    async function dialled(listening: number): Promise<boolean[]> {
      using listener = Socket.open("inet", "stream", listening);
      listener.bind({ transport: "tcp", hostname: LOOPBACK, port: 0 });
      listener.listen();
      const client = Socket.open("inet", "stream", 262);
      const [server] = await Promise.all([listener.accept(), client.connect(listener.localAddr)]);
      const conns = [client, server].map((socket) => fromFd(socket.detach()) as TcpConn);
      const multipath = conns.map((conn) => conn.info().multipath);
      for (const conn of conns) conn.close();
      return multipath;
    }
    assertEquals(await dialled(262), [true, true]);
    assertEquals(await dialled(6), [false, false]);
  });
});

/** The bytes of a structure: values at offsets, four bytes wide unless said otherwise. */
function structure(length: number, values: readonly (readonly [offset: number, value: number, width?: 1 | 8])[]) {
  const view = new DataView(new ArrayBuffer(length));
  for (const [offset, value, width] of values) {
    if (width === 1) view.setUint8(offset, value);
    else if (width === 8) view.setBigUint64(offset, BigInt(value), true);
    else view.setUint32(offset, value, true);
  }
  return new Uint8Array(view.buffer);
}

describe("The bytes of TCP_INFO", () => {
  const linux = structure(232, [
    ...([[0, 8, 1], [2, 3, 1], [8, 204_000], [16, 1448], [20, 536], [24, 5], [32, 2], [60, 1500]] as const),
    ...([[68, 1250], [72, 500], [76, 0x7fff_ffff], [80, 10], [100, 7], [104, 10 ** 9, 8], [120, 2 ** 40, 8]] as const),
    ...([[128, 77, 8], [144, 12], [148, 0xffff_ffff], [160, 5000, 8], [200, 99, 8], [208, 11, 8]] as const),
  ]);

  it("are those of Linux", () => {
    assertEquals(decodeInfo(linux_x86_64, linux), {
      state: "close-wait",
      rtt: 1.25,
      rttVariance: 0.5,
      minRtt: undefined,
      retransmitTimeout: 204,
      congestionWindow: 10,
      slowStartThreshold: Infinity,
      sendMss: 1448,
      receiveMss: 536,
      pathMtu: 1500,
      unacknowledged: 5,
      lost: 2,
      retransmits: 3,
      totalRetransmits: 7,
      bytesAcked: 2 ** 40,
      bytesReceived: 77,
      bytesSent: 99,
      bytesRetransmitted: 11,
      deliveryRate: 5000,
      pacingRate: 10 ** 9,
      notSentBytes: 12,
    });
  });

  it("of an older kernel end sooner, and what is missing is undefined", () => {
    // Linux 2.6 ended behind tcpi_total_retrans; a member that is cut in two is missing too.
    for (const length of [104, 107, 111]) {
      const info = decodeInfo(linux_x86_64, linux.subarray(0, length));
      assertEquals([info.rtt, info.totalRetransmits, info.state], [1.25, 7, "close-wait"]);
      assertEquals([info.pacingRate, info.bytesSent, info.minRtt], [undefined, undefined, undefined]);
    }
    assertEquals(decodeInfo(linux_x86_64, new Uint8Array(0)).state, "unknown");
  });

  it("of a connection without a limit report it", () => {
    const endless = linux.slice();
    endless.fill(0xff, 104, 112);
    assertEquals(decodeInfo(linux_x86_64, endless).pacingRate, Infinity);
  });

  it("are those of FreeBSD, whose windows are in bytes", () => {
    const info = decodeInfo(
      freebsd,
      structure(236, [[0, 4, 1], [8, 230_000], [16, 1460], [20, 1460], [68, 2500], [72, 1000], [76, 0x3fff_c000], [
        80,
        14_600,
      ], [120, 3]]),
    );
    assertEquals([info.state, info.rtt, info.retransmitTimeout], ["established", 2.5, 230]);
    assertEquals([info.congestionWindow, info.slowStartThreshold, info.totalRetransmits], [10, Infinity, 3]);
    assertEquals([info.sendMss, info.pathMtu, info.bytesSent], [1460, 0, undefined]);
  });

  it("are those of macOS, whose times are milliseconds", () => {
    const info = decodeInfo(
      macos_aarch64,
      structure(112, [
        [0, 9, 1],
        [12, 230],
        [16, 1448],
        [20, 14_480],
        [24, 28_960],
        [44, 12],
        [48, 4],
        [64, 1000, 8],
        [
          72,
          50,
          8,
        ],
        [88, 2000, 8],
        [104, 2, 8],
      ]),
    );
    assertEquals([info.state, info.rtt, info.rttVariance, info.retransmitTimeout], ["fin-wait-2", 12, 4, 230]);
    assertEquals([info.congestionWindow, info.slowStartThreshold, info.sendMss], [20, 10, 1448]);
    assertEquals([info.bytesSent, info.bytesRetransmitted, info.bytesReceived], [1000, 50, 2000]);
    assertEquals([info.totalRetransmits, info.minRtt], [2, undefined]);
  });

  it("have a name for every state", () => {
    for (const { tcpInfo: { states } } of [linux_x86_64, freebsd, macos_aarch64] as readonly System[]) {
      const names = ["closed", "listen", "syn-sent", "syn-received", "established", "close-wait", "fin-wait-1"];
      assertEquals(
        names.concat("closing", "last-ack", "fin-wait-2", "time-wait").filter((name) => !states.includes(name)),
        [],
      );
    }
  });
});
