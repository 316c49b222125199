import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { listenDatagram, type UdpSocket } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { LOOPBACK } from "../support/loopback.ts";
import { isPending, rejection } from "../support/promises.ts";
import { TIMEOUT } from "../support/timeout.ts";

noDescriptorLeaks();

/** Counts the turns of the event loop that a promise takes. */
async function turnsOf(promise: Promise<unknown>): Promise<number> {
  let turns = 0;
  let over = false;
  const end = () => void (over = true);
  promise.then(end, end);
  while (!over) {
    turns++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return turns;
}

const MEGABYTES = 32;
const DATAGRAMS = 20_000;

/** Sends that the kernel never holds up, since it drops what a full receiver cannot take. */
const SENDS: Readonly<Record<string, (from: UdpSocket, to: Deno.NetAddr) => [Promise<number>, number]>> = {
  "sendSegments() of 32 MiB": (from, to) => {
    const p = new Uint8Array(MEGABYTES << 20);
    return [from.sendSegments(p, 1000, to), p.length];
  },
  "sendMany() of 20,000 datagrams": (from, to) => {
    const data = new Uint8Array(10);
    return [from.sendMany(Array.from({ length: DATAGRAMS }, () => ({ data, addr: to }))), DATAGRAMS];
  },
  "sendMany() of 20,000 datagrams to the connected peer": (from, to) => {
    from.connect(to);
    const data = new Uint8Array(10);
    return [from.sendMany(Array.from({ length: DATAGRAMS }, () => ({ data }))), DATAGRAMS];
  },
};

describe("A long send that is never held up", TIMEOUT, () => {
  for (const [name, send] of Object.entries(SENDS)) {
    it(`leaves the event loop its turns: ${name}`, async () => {
      using to = listenDatagram({ transport: "udp", hostname: LOOPBACK });
      using from = listenDatagram({ transport: "udp", hostname: LOOPBACK });
      const [sending, all] = send(from, to.addr);
      assert(await turnsOf(sending) >= 15);
      assertEquals(await sending, all);
    });

    it(`keeps its place, and can be cut off: ${name}`, async () => {
      using to = listenDatagram({ transport: "udp", hostname: LOOPBACK });
      using from = listenDatagram({ transport: "udp", hostname: LOOPBACK });
      const [sending] = send(from, to.addr);
      await from.send(new Uint8Array(1), from.remoteAddr === null ? to.addr : undefined);
      // More turns than this are left of one that was overtaken.
      assert(!await isPending(sending));
      const [cut] = send(from, to.addr);
      const error = rejection(cut);
      from.close();
      assert(await error instanceof Deno.errors.Interrupted);
    });
  }
});
