import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { connect, listen, listenDatagram } from "../../mod.ts";
import { text } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { LOOPBACK } from "../support/loopback.ts";
import { TIMEOUT } from "../support/timeout.ts";

noDescriptorLeaks();

const LISTENERS = {
  TCP: () => listen({ hostname: LOOPBACK, port: 0 }),
  Unix: () => listen({ transport: "unix", path: `\0berkeley-iteration-${crypto.randomUUID()}` }),
  seqpacket: () => listen({ transport: "seqpacket", path: `\0berkeley-iteration-${crypto.randomUUID()}` }),
};

/** Dials a listener of any kind. */
function dial(addr: Deno.NetAddr | { transport: string; path: string | null }) {
  if ("port" in addr) return connect({ port: addr.port });
  const path = addr.path!;
  return addr.transport === "unix" ? connect({ transport: "unix", path }) : connect({ transport: "seqpacket", path });
}

for (const [name, open] of Object.entries(LISTENERS)) {
  describe(`A loop over a ${name} listener`, TIMEOUT, () => {
    it("closes it when it is left", async () => {
      using listener = open();
      using _conn = await dial(listener.addr);
      for await (const accepted of listener) {
        accepted.close();
        break;
      }
      assertThrows(() => listener.socket.fd, Deno.errors.BadResource);
    });

    it("closes it when it throws", async () => {
      using listener = open();
      using _conn = await dial(listener.addr);
      const loop = async () => {
        for await (const accepted of listener) {
          accepted.close();
          throw new Error("left");
        }
      };
      assertEquals((await loop().catch((error) => error)).message, "left");
      assertThrows(() => listener.socket.fd, Deno.errors.BadResource);
    });

    it("ends a wait of its iterator when that returns", async () => {
      using listener = open();
      const iterator = listener[Symbol.asyncIterator]();
      const waiting = iterator.next();
      assertEquals(await iterator.return!(), { value: undefined, done: true });
      assertEquals(await waiting, { value: undefined, done: true });
      assertEquals(await iterator.next(), { value: undefined, done: true });
    });
  });
}

const DATAGRAMS = {
  UDP: () => listenDatagram({ transport: "udp", hostname: LOOPBACK }),
  Unix: () => listenDatagram({ transport: "unixgram", path: "" }),
};

for (const [name, open] of Object.entries(DATAGRAMS)) {
  describe(`A loop over a ${name} datagram socket`, TIMEOUT, () => {
    it("leaves it open when it is left, and receives nothing more", async () => {
      using receiver = open();
      using sender = open();
      const iterator = receiver[Symbol.asyncIterator]();
      const waiting = iterator.next();
      const left = iterator.return!();
      await sender.send(new TextEncoder().encode("for whoever asks next"), receiver.addr);
      assertEquals([await left, await waiting], Array(2).fill({ value: undefined, done: true }));
      const [data] = await receiver.receive();
      assertEquals(text(data), "for whoever asks next");
      assert(receiver.socket.fd >= 0);
    });

    it("yields datagrams in order, and ends when the socket is closed", async () => {
      const receiver = open();
      using sender = open();
      const received: string[] = [];
      const loop = (async () => {
        for await (const [data] of receiver) {
          received.push(text(data));
          if (received.length === 3) receiver.close();
        }
      })();
      for (const word of ["one", "two", "three"]) await sender.send(new TextEncoder().encode(word), receiver.addr);
      await loop;
      assertEquals(received, ["one", "two", "three"]);
    });
  });
}
