import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Socket, type UdpSocket, type UnixAddr } from "../../mod.ts";
import { bytes, text } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { at, LOOPBACK } from "../support/loopback.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { settled, turns } from "../support/turns.ts";
import { openUdp, receiveText } from "../udp/support.ts";
import { nameOf, openListener } from "../socket/support.ts";

noDescriptorLeaks();

/** A socket and another that sends to it. */
class Sides implements Disposable {
  readonly receiver = openUdp();
  readonly #sender = openUdp();

  /** Sends, one datagram after another. */
  async send(...words: string[]): Promise<void> {
    for (const word of words) await this.#sender.send(bytes(word), this.receiver.addr);
  }

  [Symbol.dispose](): void {
    this.receiver[Symbol.dispose]();
    this.#sender.close();
  }
}

describe("Several receives that wait", TIMEOUT, () => {
  it("are served in call order, whatever their kind", async () => {
    using sides = new Sides();
    const { receiver } = sides;
    const order: string[] = [];
    const note = (name: string) => (data: Uint8Array) => void order.push(`${name} ${text(data)}`);
    const all = [
      receiver.receive().then(([data]) => note("first")(data)),
      receiver.receive(new Uint8Array(16)).then(([data]) => note("second")(data)),
      receiver.receiveMessage().then(({ data }) => note("third")(data)),
      receiver.receive().then(([data]) => note("fourth")(data)),
    ];
    await settled();
    await sides.send("a", "b", "c", "d");
    await Promise.all(all);
    assertEquals(order, ["first a", "second b", "third c", "fourth d"]);
  });

  it("are served in order by the hundred, even with data already there", async () => {
    using sides = new Sides();
    const words = Array.from({ length: 200 }, (_, index) => `number ${index}`);
    await sides.send(...words.slice(0, 100));
    const received = words.map(() => receiveText(sides.receiver));
    await sides.send(...words.slice(100));
    assertEquals(await Promise.all(received), words);
  });

  it("wait in order: a later one does not take data first", async () => {
    using sides = new Sides();
    const first = receiveText(sides.receiver);
    await sides.send("one", "two");
    const second = receiveText(sides.receiver);
    assertEquals([await first, await second], ["one", "two"]);
  });

  it("share the socket with readable(), which consumes nothing", async () => {
    using sides = new Sides();
    const order: string[] = [];
    const readable = sides.receiver.socket.readable().then(() => void order.push("readable"));
    const received = receiveText(sides.receiver).then((word) => void order.push(word));
    await settled();
    await sides.send("data");
    await Promise.all([readable, received]);
    assertEquals(order, ["readable", "data"]);
  });
});

describe("close()", TIMEOUT, () => {
  it("rejects all waiting operations, in both directions, with Interrupted", async () => {
    using listener = openListener();
    const udp = openUdp();
    using client = Socket.open("inet", "stream");
    await client.connect(nameOf(listener));
    const server = await listener.accept();
    // Until the other side's buffer and its own are full.
    let sending: Promise<number>;
    do sending = server.send(new Uint8Array(1 << 20)); while (
      await Promise.race([
        sending.then(() => true),
        turns(20).then(() => false),
      ])
    );
    const waiting = [
      udp.receive(),
      udp.receiveMessage(),
      udp.socket.receive(new Uint8Array(1)),
      server.receive(new Uint8Array(1)),
      sending,
      server.writable(),
      listener.readable(),
    ].map((one) => assertRejects(() => one, Deno.errors.Interrupted));
    // As Deno has it: whose listener is gone waits for nothing that could be interrupted.
    const accepting = [listener.accept(), listener.accept()].map((one) =>
      assertRejects(() => one, Deno.errors.BadResource)
    );
    await settled();
    for (const socket of [udp, server, listener]) socket.close();
    await Promise.all([...waiting, ...accepting]);
  });

  it("does not affect operations of other sockets", async () => {
    using sides = new Sides();
    const other = openUdp();
    const received = receiveText(sides.receiver);
    const cut = assertRejects(() => other.receive(), Deno.errors.Interrupted);
    await settled();
    other.close();
    await cut;
    await sides.send("still here");
    assertEquals(await received, "still here");
  });

  it("leaves the number to the next socket, which gets only its own events", async () => {
    using sender = openUdp();
    for (let round = 0; round < 20; round++) {
      const first = openUdp();
      const cut = assertRejects(() => first.receive(), Deno.errors.Interrupted);
      await turns(round);
      await sender.send(bytes("to the first"), first.addr);
      first.close();
      using second = openUdp();
      const received = receiveText(second);
      await sender.send(bytes("to the second"), second.addr);
      assertEquals(await received, "to the second");
      await cut;
    }
  });
});

describe("A connect that waits for a full backlog", TIMEOUT, () => {
  it("lets the next operation proceed when it is aborted", async () => {
    const folder = await Deno.makeTempDir();
    try {
      const address: UnixAddr = { transport: "unix", path: `${folder}/socket` };
      using stack = new DisposableStack();
      const listener = stack.use(Socket.open("unix", "stream"));
      listener.bind(address);
      listener.listen(1);
      const controller = new AbortController();
      for (;;) {
        const client = stack.use(Socket.open("unix", "stream"));
        const connecting = client.connect(address, { signal: controller.signal });
        if (await Promise.race([connecting.then(() => true), turns(20).then(() => false)])) continue;
        const sending = assertRejects(() => client.send(bytes("too early")), Error, "ENOTCONN");
        const cut = assertRejects(() => connecting, DOMException);
        controller.abort();
        await Promise.all([sending, cut]);
        return;
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
});

describe("A busy socket", TIMEOUT, () => {
  /** Receives what the socket sends to itself, without end and without a pause, until it is closed. */
  async function busy(socket: UdpSocket): Promise<number> {
    let rounds = 0;
    const data = bytes("busy");
    const buffer = new Uint8Array(16);
    try {
      for (;; rounds++) {
        await socket.send(data, socket.addr);
        await socket.receive(buffer);
      }
    } catch (error) {
      if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) return rounds;
      throw error;
    }
  }

  it("does not starve timers or other sockets", async () => {
    using sides = new Sides();
    using socket = openUdp();
    const rounds = busy(socket);
    for (let round = 0; round < 5; round++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      const received = receiveText(sides.receiver);
      await sides.send("in between");
      assertEquals(await received, "in between");
    }
    socket.close();
    assert(await rounds > 0);
  });

  it("does not starve another busy socket", async () => {
    using one = openUdp();
    using other = openUdp();
    const rounds = [busy(one), busy(other)];
    await turns(50);
    one.close();
    other.close();
    for (const count of await Promise.all(rounds)) assert(count > 10, `${count} rounds`);
  });

  it("does not starve others while it fails repeatedly", async () => {
    using socket = openUdp();
    let going = true;
    const failing = (async () => {
      while (going) await socket.socket.send(new Uint8Array(70_000), at(LOOPBACK, 9)).catch(() => {});
    })();
    await new Promise((resolve) => setTimeout(resolve, 1));
    going = false;
    await failing;
  });

  it("is served in an iteration while others run", async () => {
    using sides = new Sides();
    const received: string[] = [];
    const loop = (async () => {
      for await (const [data] of sides.receiver) if (received.push(text(data)) === 500) return;
    })();
    for (let index = 0; index < 500; index++) await sides.send(String(index));
    await loop;
    assertEquals(received, Array.from({ length: 500 }, (_, index) => String(index)));
    assertStrictEquals(sides.receiver.socket.fd >= 0, true);
  });
});
