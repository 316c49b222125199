import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { sockopt } from "../../mod.ts";
import { bytes, pattern, text } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { at } from "../support/loopback.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { openUdp, receiveText } from "./support.ts";

noDescriptorLeaks();

describe("A datagram", TIMEOUT, () => {
  for (const length of [0, 1, 2, 1472, 2048, 9000, 65_506, 65_507]) {
    it(`of ${length} bytes arrives whole, in new memory or in a buffer`, async () => {
      using receiver = openUdp();
      using sender = openUdp();
      const sent = pattern(length);
      for (const p of [undefined, new Uint8Array(65_507)]) {
        assertEquals(await sender.send(sent, receiver.addr), length);
        const [data, from] = await receiver.receive(p);
        assertEquals(data, sent);
        assertEquals(from, sender.addr);
      }
    });
  }

  it("keeps its memory when more arrive", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    await sender.send(bytes("first"), receiver.addr);
    await sender.send(bytes("other"), receiver.addr);
    const [first] = await receiver.receive();
    const [second] = await receiver.receive();
    assertEquals([text(first), text(second)], ["first", "other"]);
    assertEquals(first.buffer.byteLength, 5);
  });

  it("goes to the default host if the address has none", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const { port } = receiver.addr;
    for (const addr of [{ transport: "udp", port }, { transport: "udp", hostname: "127.0.0.1", port: String(port) }]) {
      await sender.send(bytes("hello"), addr as Deno.NetAddr);
      assertEquals(await receiveText(receiver), "hello");
    }
  });

  it("goes to a host name, which is resolved", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    await sender.send(bytes("hello"), at("localhost", receiver.addr.port));
    assertEquals(await receiveText(receiver), "hello");
  });

  it("is sent in call order, also to many destinations in turn", async () => {
    using one = openUdp();
    using other = openUdp();
    using sender = openUdp();
    const sends: Promise<number>[] = [];
    for (let index = 0; index < 50; index++) {
      sends.push(sender.send(bytes(`one ${index}`), one.addr), sender.send(bytes(`other ${index}`), other.addr));
    }
    await Promise.all(sends);
    for (let index = 0; index < 50; index++) {
      assertEquals(await receiveText(one), `one ${index}`);
      assertEquals(await receiveText(other), `other ${index}`);
    }
  });
});

describe("receive() into a buffer", TIMEOUT, () => {
  it("resolves to a view of the buffer", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const buffer = new Uint8Array(16).fill(7);
    await sender.send(bytes("abc"), receiver.addr);
    const [data] = await receiver.receive(buffer);
    assertStrictEquals(data.buffer, buffer.buffer);
    assertEquals([data.byteOffset, data.length], [0, 3]);
    assertEquals([...buffer], [97, 98, 99, ...Array(13).fill(7)]);
  });

  it("writes within a view that starts and ends inside its memory", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const memory = new Uint8Array(12);
    const view = memory.subarray(4, 8);
    await sender.send(bytes("abcdefgh"), receiver.addr);
    const [data] = await receiver.receive(view);
    assertEquals([data.byteOffset, text(data)], [4, "abcd"]);
    assertEquals([...memory], [0, 0, 0, 0, 97, 98, 99, 100, 0, 0, 0, 0]);
  });

  it("truncates a longer datagram, and the next one is whole", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    await sender.send(bytes("too long"), receiver.addr);
    await sender.send(bytes("fits"), receiver.addr);
    assertEquals(text((await receiver.receive(new Uint8Array(4)))[0]), "too ");
    assertEquals(text((await receiver.receive(new Uint8Array(4)))[0]), "fits");
  });

  it("receives a datagram into an empty buffer too", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    await sender.send(bytes("gone"), receiver.addr);
    await sender.send(bytes("next"), receiver.addr);
    const [data, from] = await receiver.receive(new Uint8Array(0));
    assertEquals([data.length, from], [0, sender.addr]);
    assertEquals(await receiveText(receiver), "next");
  });

  it("works with memory that grows", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const memory = new ArrayBuffer(4, { maxByteLength: 1 << 20 });
    const view = new Uint8Array(memory);
    await sender.send(bytes("abcdefgh"), receiver.addr);
    assertEquals(text((await receiver.receive(view))[0]), "abcd");
    memory.resize(1 << 20);
    const sent = pattern(60_000);
    await sender.send(sent, receiver.addr);
    assertEquals((await receiver.receive(view))[0], sent);
  });
});

describe("send() from a view", TIMEOUT, () => {
  it("sends only the bytes of the view", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const memory = bytes("0123456789");
    for (const [start, end] of [[0, 10], [3, 7], [9, 10], [5, 5]] as const) {
      await sender.send(memory.subarray(start, end), receiver.addr);
      assertEquals(await receiveText(receiver), "0123456789".slice(start, end));
    }
  });

  it("sends from many buffers in turn", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const buffers = Array.from({ length: 20 }, (_, index) => bytes(`buffer ${index}`));
    for (const buffer of [...buffers, ...buffers]) {
      await sender.send(buffer, receiver.addr);
      assertEquals(await receiveText(receiver), text(buffer));
    }
  });
});

describe("receiveMessage()", TIMEOUT, () => {
  it("reports whether a datagram was truncated", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    for (const [length, truncated] of [[7, false], [8, false], [9, true], [65_507, true]] as const) {
      const sent = pattern(length);
      await sender.send(sent, receiver.addr);
      const message = await receiver.receiveMessage({ maxLength: 8 });
      assertEquals(message, { data: sent.slice(0, 8), addr: sender.addr, truncated });
    }
  });

  it("receives the longest datagram whole by default", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const sent = pattern(65_507);
    await sender.send(sent, receiver.addr);
    assertEquals(await receiver.receiveMessage(), { data: sent, addr: sender.addr, truncated: false });
  });

  it("receives no bytes with a length of 0, and reports it as truncated", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    await sender.send(bytes("x"), receiver.addr);
    await sender.send(bytes(""), receiver.addr);
    assertEquals((await receiver.receiveMessage({ maxLength: 0 })).truncated, true);
    assertEquals((await receiver.receiveMessage({ maxLength: 0 })).truncated, false);
  });
});

describe("The buffers of a socket", TIMEOUT, () => {
  it("have the requested size", async () => {
    using small = openUdp({ receiveBufferSize: 4096, sendBufferSize: 8192 });
    using plain = openUdp();
    const size = (socket: typeof small) => socket.socket.getOption(sockopt.SO_RCVBUF);
    assert(size(small) >= 4096 && size(small) < size(plain));
    assert(small.socket.getOption(sockopt.SO_SNDBUF) >= 8192);
    // More than fits is dropped by the kernel; what is there comes in order, and the socket goes on.
    for (let index = 0; index < 100; index++) await plain.send(new Uint8Array(1000).fill(index), small.addr);
    const [first] = await small.receive();
    assertEquals(first[0], 0);
  });
});
