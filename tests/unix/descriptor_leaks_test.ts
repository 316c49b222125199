import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { listenDatagram } from "../../mod.ts";
import { bytes } from "../support/bytes.ts";
import { descriptorCount, noDescriptorLeaks } from "../support/descriptors.ts";
import { start, startDeno } from "../support/process.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { leadsTo, notLinux, PAIRS, TRANSPORTS } from "./support.ts";

noDescriptorLeaks();

const FORGOTTEN = new URL("./programs/forgotten.ts", import.meta.url);
const IN_FLIGHT = new URL("./programs/in_flight.ts", import.meta.url);
const CROWDED = new URL("./programs/crowded.ts", import.meta.url).pathname;

const NUMBER_ZERO = new URL("./programs/number_zero.ts", import.meta.url);

const noLimits = await missingCommands("prlimit");

describe("Of ten thousand descriptors", TIMEOUT, () => {
  for (const [name, makePair] of TRANSPORTS.map((transport) => [transport, PAIRS[transport]] as const)) {
    it(`passed over ${name} and closed, none is left`, async () => {
      const [one, two] = makePair();
      using _one = one;
      using _two = two;
      using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
      const target = leadsTo(udp.socket.fd);
      const before = descriptorCount();
      let passed = 0;
      for (let count = 1; passed < 10_000; count = count % 253 + 1) {
        await one.sendMessage({ data: bytes("x"), fds: Array(count).fill(udp) });
        const message = await two.receiveMessage({ maxFds: 253 });
        assertEquals([message!.fds.length, leadsTo(message!.fds.at(-1)!.fd)], [count, target]);
        for (const fd of message!.fds) fd.close();
        passed += count;
      }
      assertEquals(descriptorCount(), before);
    });

    it(`queued in an unread ${name}, none is left once it is closed`, async () => {
      const before = descriptorCount();
      using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
      const { port } = udp.addr;
      for (let round = 0; round < 8; round++) {
        const [one, two] = makePair();
        for (let count = 0; count < 5; count++) await one.sendMessage({ data: bytes("x"), fds: Array(253).fill(udp) });
        one.close();
        two.close();
      }
      udp.close();
      assertEquals(descriptorCount(), before);
      // Nor does the kernel keep any: the port is free.
      listenDatagram({ transport: "udp", hostname: "127.0.0.1", port }).close();
    });
  }
});

describe("A received descriptor", TIMEOUT, () => {
  itUnless(notLinux, "that is unused is closed when it is collected, and one that was taken over is not", async () => {
    await using child = startDeno(FORGOTTEN, { flags: ["-A", "--v8-flags=--expose-gc"] });
    const { success, stdout, report } = await child.finished();
    assert(success, report);
    assertEquals(JSON.parse(stdout), [50, 50, 2, true], report);
  });

  itUnless(noLimits, "that does not fit is missing, and the message is truncated", async () => {
    const deno = [Deno.execPath(), "run", "-A", "--no-prompt", CROWDED];
    await using child = start("prlimit", ["--nofile=64", ...deno]);
    const { success, stdout, report } = await child.finished();
    assert(success, report);
    const { room, received, truncated, left } = JSON.parse(stdout);
    assertEquals([received, truncated, left], [room, true, 0], report);
  });
});

describe("More descriptors in flight than allowed", TIMEOUT, () => {
  itUnless(
    notLinux,
    "are refused for a user who is not root, and can be passed once some have been received",
    async () => {
      await using child = startDeno(IN_FLIGHT);
      const { success, stdout, report } = await child.finished();
      assert(success, report);
      assertEquals(JSON.parse(stdout), { code: "ETOOMANYREFS", recovered: true }, report);
    },
  );
});

describe("A descriptor that is received while standard input is closed", TIMEOUT, () => {
  itUnless(notLinux, "has the number 0, and is one like others", async () => {
    const { success, stdout, report } = await startDeno(NUMBER_ZERO).finished();
    assert(success, report);
    assertEquals(JSON.parse(stdout), { zero: 0, count: 2, same: true, left: 0 });
  });
});
