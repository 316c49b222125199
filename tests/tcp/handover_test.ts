import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import { connect, fromFd, listen, sockopt, type TcpListener } from "../../mod.ts";
import { libc } from "../../ffi/libc/libc.ts";
import { readExactly, readToEnd } from "../conformance/stream/pair.ts";
import { bytes, pattern } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { LOOPBACK, withoutIPv6 } from "../support/loopback.ts";
import { isPending, rejection } from "../support/promises.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { connectedPair, listenTcp, readText } from "./support.ts";
import { noSharedLoad } from "../support/systems.ts";
import { itUnless } from "../support/skipping.ts";

noDescriptorLeaks();

/** Serves every request with its path on a listener that is given away, until the end of the block. */
async function serveHttp(listener: TcpListener): Promise<AsyncDisposable> {
  const server = http.createServer((request, response) => {
    response.setHeader("Connection", "close");
    response.end(`you asked for ${request.url}`);
  });
  server.listen({ fd: listener.detach() });
  await once(server, "listening");
  return {
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, "close");
    },
  };
}

/** What a server at this address answers. */
async function get(addr: Deno.NetAddr, path: string): Promise<string> {
  using conn = await connect({ hostname: addr.hostname, port: addr.port });
  await conn.write(bytes(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`));
  return await readText(conn);
}

describe("A detached listener", TIMEOUT, () => {
  it("serves node:http, opened with any options", async () => {
    const opened = [
      listenTcp(),
      listenTcp({ reusePort: noSharedLoad === null, tcpBacklog: 10 }),
      listen({ port: 0, reuseAddress: false, control: (socket) => socket.setOption(sockopt.SO_RCVBUF, 65_536) }),
      ...withoutIPv6() === null ? [listenTcp({ hostname: "::1", ipv6Only: true })] : [],
    ];
    for (const listener of opened) {
      const { addr } = listener;
      await using _server = await serveHttp(listener);
      for (const path of ["/one", "/two"]) {
        const answer = await get(addr, path);
        assert(answer.startsWith("HTTP/1.1 200 OK\r\n"), answer);
        assert(answer.includes(`you asked for ${path}`), answer);
      }
    }
  });

  it("passes queued connections to node:http, and rejects later accepts", async () => {
    const listener = listenTcp();
    const { addr } = listener;
    const early = get(addr, "/early");
    assert(await isPending(early));
    // Nothing of the request was taken: the connection is still in the kernel's queue.
    await using _server = await serveHttp(listener);
    assert((await early).includes("you asked for /early"));
    assertInstanceOf(await rejection(listener.accept()), Deno.errors.BadResource);
  });

  it("rejects waiting accepts", async () => {
    const listener = listenTcp();
    const accepting = rejection(listener.accept());
    assert(await isPending(accepting));
    using again = fromFd(listener.detach());
    assertInstanceOf(await accepting, Deno.errors.BadResource);
    assertInstanceOf(again, listener.constructor as new () => TcpListener);
  });

  itUnless(noSharedLoad, "is shared by several servers of one port", async () => {
    const first = listenTcp({ reusePort: true });
    const { addr } = first;
    const second = listenTcp({ port: addr.port, reusePort: true });
    await using _first = await serveHttp(first);
    await using _second = await serveHttp(second);
    for (let index = 0; index < 10; index++) assert((await get(addr, "/")).includes("you asked for /"));
  });
});

describe("A detached connection", TIMEOUT, () => {
  it("works as a net.Socket in both directions", async () => {
    using pair = await connectedPair();
    const { localAddr } = pair.one;
    const socket = new net.Socket({ fd: pair.one.detach() });
    const sent = pattern(100_000);
    const arrived: Uint8Array[] = [];
    socket.on("data", (data: Uint8Array) => arrived.push(data));
    assertEquals(socket.localPort ?? localAddr.port, localAddr.port);
    socket.write(sent);
    assertEquals(await readExactly(pair.two, sent.length), sent);
    await pair.two.write(bytes("hello"));
    await pair.two.closeWrite();
    await once(socket, "end");
    socket.end();
    await once(socket, "close");
    assertEquals(new TextDecoder().decode(await new Blob(arrived as BlobPart[]).arrayBuffer()), "hello");
    assertEquals(await pair.two.read(new Uint8Array(1)), null);
  });

  it("keeps received data and options", async () => {
    using pair = await connectedPair();
    const { one, two } = pair;
    one.setKeepAlive({ idle: 77 });
    await two.write(bytes("hello"));
    await two.closeWrite();
    const { localAddr, remoteAddr } = one;
    const again = fromFd(one.detach());
    assertInstanceOf(again, one.constructor as new () => typeof one);
    using owned = again;
    assertEquals([owned.localAddr, owned.remoteAddr], [localAddr, remoteAddr]);
    assertEquals(owned.socket.getOption(sockopt.TCP_KEEPIDLE), 77);
    assertEquals(new TextDecoder().decode(await readToEnd(owned)), "hello");
  });
});

describe("fromFd()", TIMEOUT, () => {
  it("refuses a number that another socket owns, and leaves it open", async () => {
    using pair = await connectedPair();
    assertThrows(() => fromFd(pair.one.socket.fd), TypeError, "belongs to an open socket");
    await pair.one.write(bytes("x"));
    assertEquals(await pair.two.read(new Uint8Array(8)), 1);
  });

  it("refuses a descriptor that is not a socket or not open, and a value that is not a number", () => {
    const file = libc().c.open(bytes("/dev/null\0"), 0);
    assertThrows(() => fromFd(file), TypeError, `Descriptor ${file} is not a socket`);
    assertEquals(libc().c.close(file), 0);
    assertThrows(() => fromFd(0x7fff_fff0), Deno.errors.BadResource);
    for (const bad of [-1, 1.5, NaN, "3", 2 ** 31]) assertThrows(() => fromFd(bad as number), TypeError);
  });

  it("takes over a connection whose peer has closed", async () => {
    using listener = listenTcp();
    const conn = await connect({ hostname: LOOPBACK, port: listener.addr.port });
    const accepted = await listener.accept();
    await conn.write(bytes("bye"));
    conn.close();
    const again = fromFd(accepted.detach());
    assertInstanceOf(again, accepted.constructor as new () => typeof accepted);
    using owned = again;
    assertEquals(new TextDecoder().decode(await readToEnd(owned)), "bye");
  });
});
