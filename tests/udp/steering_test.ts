import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { listen, listenDatagram, type Steering, type UdpSocket } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { at, LOOPBACK, withoutIPv6 } from "../support/loopback.ts";
import { run, startDeno } from "../support/process.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { thisSystem } from "../../ffi/libc/host.ts";
import { linuxTable } from "../support/systems.ts";

noDescriptorLeaks();

const linux = linuxTable ? null : `no SO_ATTACH_REUSEPORT_CBPF on ${thisSystem().name}`;
const processors = navigator.hardwareConcurrency > 1 ? null : "one processor only";
const missing = await missingCommands("taskset", "socat");
const SIZE = 4;
const EACH = 20;

/** The second byte of a marker, and no other datagram has it. */
const MARKER = 255;

interface Group extends Disposable {
  readonly sockets: UdpSocket[];
}

/** A group of sockets on one port; those whose numbers are listed bring the rule. */
function openGroup(hostname: string, steer: Steering, bringing: readonly number[], size = SIZE): Group {
  const sockets: UdpSocket[] = [];
  for (let number = 0; number < size; number++) {
    const port = sockets[0]?.addr.port ?? 0;
    const rule = bringing.includes(number) ? { steer } : {};
    sockets.push(listenDatagram({ transport: "udp", hostname, port, reusePort: true, ...rule }));
  }
  const dispose = () => {
    for (const socket of sockets) socket[Symbol.dispose]();
  };
  return { sockets, [Symbol.dispose]: dispose };
}

/** Sends a marker to each socket and takes what each has until its marker. */
async function drain(sender: UdpSocket, addr: Deno.NetAddr, sockets: readonly UdpSocket[]): Promise<number[][][]> {
  for (const number of sockets.keys()) await sender.send(Uint8Array.of(number, MARKER, 0, number), addr);
  return await Promise.all(sockets.map(async (socket) => {
    const found: number[][] = [];
    for (;;) {
      const [data] = await socket.receive();
      if (data[1] === MARKER) return found;
      found.push([...data]);
    }
  }));
}

describe("steer by a byte", TIMEOUT, () => {
  for (
    const [name, hostname, reason] of [["IPv4", LOOPBACK, linux], ["IPv6", "::1", linux ?? withoutIPv6()]] as const
  ) {
    for (const bringing of [[0], [SIZE - 1], [0, 1, 2, 3]]) {
      itUnless(
        reason,
        `brings twenty datagrams of each first byte to its socket, ${name}, by ${bringing}`,
        async () => {
          using group = openGroup(hostname, { byte: 0, modulo: SIZE }, bringing);
          const { addr } = group.sockets[0]!;
          for (let byte = 0; byte < 256; byte++) {
            // A sender of its own for each byte: the hash of the addresses would spread them.
            using sender = listenDatagram({ transport: "udp", hostname });
            for (let index = 0; index < EACH; index++) await sender.send(Uint8Array.of(byte, index), addr);
            const found = await drain(sender, addr, group.sockets);
            const expected = Array.from({ length: EACH }, (_, index) => [byte, index]);
            assertEquals(found, group.sockets.map((_, number) => number === byte % SIZE ? expected : []));
          }
        },
      );
    }
  }

  itUnless(linux, "reads the byte that was named, and brings what is shorter to the first socket", async () => {
    using group = openGroup(LOOPBACK, { byte: 3, modulo: 3 }, [1], 3);
    using sender = listenDatagram({ transport: "udp", hostname: LOOPBACK });
    const { addr } = group.sockets[0]!;
    for (const bytes of [[9, 9, 9, 1], [9, 9, 9, 2, 7], [9, 9, 9, 3], [5, 5], [], [9, 9, 9, 254]]) {
      await sender.send(Uint8Array.from(bytes), addr);
    }
    assertEquals(await drain(sender, addr, group.sockets), [
      [[9, 9, 9, 3], [5, 5], []],
      [[9, 9, 9, 1]],
      [[9, 9, 9, 2, 7], [9, 9, 9, 254]],
    ]);
  });

  itUnless(linux, "gives the number of a socket that closes to the last one, and the rule outlives it", async () => {
    using group = openGroup(LOOPBACK, { byte: 0, modulo: 3 }, [0], 3);
    using sender = listenDatagram({ transport: "udp", hostname: LOOPBACK });
    const [first, second, third] = group.sockets as [UdpSocket, UdpSocket, UdpSocket];
    const { port } = first.addr;
    const addr = at(LOOPBACK, port);
    first.close();
    await sender.send(Uint8Array.of(0), addr);
    await sender.send(Uint8Array.of(1), addr);
    assertEquals(await drain(sender, addr, [third, second]), [[[0]], [[1]]]);
    using fourth = listenDatagram({ transport: "udp", hostname: LOOPBACK, port, reusePort: true });
    for (const byte of [0, 1, 2]) await sender.send(Uint8Array.of(byte), addr);
    assertEquals(await drain(sender, addr, [third, second, fourth]), [[[0]], [[1]], [[2]]]);
  });
});

describe("steer by the processor", TIMEOUT, () => {
  itUnless(linux ?? processors ?? missing, "brings datagrams and connections to the socket of its number", async () => {
    await using receiving = startDeno(new URL("./programs/steered.ts", import.meta.url));
    const [, udp, tcp] = await receiving.waitForLine(/^ports (\d+) (\d+)$/);
    for (let round = 0; round < 10; round++) {
      const cpu = round % 2;
      const send = ["-c", String(cpu), "socat", "-u", "STDIN", `UDP4-SENDTO:${LOOPBACK}:${udp}`];
      assert((await run("taskset", send, { input: `round ${round}` })).success);
      const [datagram] = await receiving.waitForLine(/^udp .*$/);
      assertEquals(datagram, `udp ${cpu} round ${round}`);
      const dial = ["-c", String(cpu), "socat", "-u", `TCP4:${LOOPBACK}:${tcp}`, "STDOUT"];
      assert((await run("taskset", dial)).success);
      const [connection] = await receiving.waitForLine(/^tcp \d$/);
      assertEquals(connection, `tcp ${cpu}`);
    }
  });
});

describe("steer", TIMEOUT, () => {
  const open = (steer: unknown, reusePort = true) => () => {
    listenDatagram({ transport: "udp", hostname: LOOPBACK, reusePort, steer: steer as Steering }).close();
  };

  itUnless(linux, "is checked before anything is opened", () => {
    assertThrows(open("cpu", false), TypeError, "steer is for the sockets of a reuse-port group: pass reusePort: true");
    assertThrows(() => listen({ hostname: LOOPBACK, port: 0, steer: "cpu" }), TypeError, "pass reusePort: true");
    assertThrows(open("hash"), TypeError, 'Invalid steer: "hash", expected "cpu" or { byte, modulo }');
    assertThrows(open(null), TypeError, "Invalid steer: null");
    assertThrows(open({ byte: 0 }), TypeError, "Invalid steer.modulo: undefined");
    assertThrows(open({ byte: -1, modulo: 2 }), RangeError, "Invalid steer.byte: -1, expected 0 to 65534");
    assertThrows(open({ byte: 0.5, modulo: 2 }), TypeError, "Invalid steer.byte: 0.5");
    assertThrows(open({ byte: 0, modulo: 0 }), RangeError, "Invalid steer.modulo: 0, expected 1 to 256");
    assertThrows(open({ byte: 0, modulo: 257 }), RangeError, "Invalid steer.modulo: 257");
    assertThrows(open({ byte: 0, modulo: 2, shift: 1 }), TypeError, 'Unknown option "shift"');
  });

  itUnless(linux === null ? "Linux has it" : null, "is NotSupported where the system has none", () => {
    assertThrows(open("cpu"), Deno.errors.NotSupported, "SO_ATTACH_REUSEPORT_CBPF");
  });

  itUnless(linux, "is read once", () => {
    let reads = 0;
    const steer = {
      get byte() {
        reads++;
        return 0;
      },
      modulo: 2,
    };
    open(steer)();
    assertEquals(reads, 1);
  });
});
