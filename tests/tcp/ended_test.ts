import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { connect, type SocketError, sockopt, type TcpConn } from "../../mod.ts";
import { thisSystem } from "../../ffi/libc/host.ts";
import { bytes, text } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { LOOPBACK } from "../support/loopback.ts";
import { rejection } from "../support/promises.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { listenTcp } from "./support.ts";

noDescriptorLeaks();

const SO_ERROR = thisSystem().options.SO_ERROR!;

/** A connection whose peer has reset it. */
async function reset(): Promise<TcpConn> {
  using listener = listenTcp();
  using client = await connect({ hostname: LOOPBACK, port: listener.addr.port });
  const server = await listener.accept();
  client.setLinger(0);
  client.close();
  await server.socket.readable();
  return server;
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return (await rejection(promise) as SocketError).code;
}

describe("A reset that was first reported by another call than read()", TIMEOUT, () => {
  const ROUTES: Readonly<Record<string, (conn: TcpConn) => unknown>> = {
    "socket.receive()": (conn) => rejection(conn.socket.receive(new Uint8Array(8))),
    "socket.send()": (conn) => rejection(conn.socket.send(new Uint8Array(8))),
    "getOption(SO_ERROR)": (conn) => conn.socket.getOption(sockopt.SO_ERROR),
    "getRawOption of SO_ERROR": (conn) => conn.socket.getRawOption(SO_ERROR.level, SO_ERROR.name, 4),
    "write()": (conn) => rejection(conn.write(new Uint8Array(8))),
    "another read()": (conn) => rejection(conn.read(new Uint8Array(8))),
  };
  for (const [route, call] of Object.entries(ROUTES)) {
    it(`${route}: read() rejects with ConnectionReset, and never gives the end`, async () => {
      using conn = await reset();
      await call(conn);
      for (let again = 0; again < 3; again++) {
        const error = await rejection(conn.read(new Uint8Array(8)));
        assertInstanceOf(error, Deno.errors.ConnectionReset, String(error));
      }
    });
  }

  it("is what a reader of `readable` gets", async () => {
    using conn = await reset();
    conn.socket.getOption(sockopt.SO_ERROR);
    assertEquals(await codeOf(conn.readable.getReader().read()), "ECONNRESET");
  });
});

describe("Errors that do not end a connection", TIMEOUT, () => {
  it("leave the end what it is", async () => {
    using listener = listenTcp();
    using client = await connect({ hostname: LOOPBACK, port: listener.addr.port });
    using server = await listener.accept();
    await client.closeWrite();
    await server.closeWrite();
    assertEquals(await codeOf(server.write(bytes("after the end"))), "EPIPE");
    assertThrows(() => server.socket.setRawOption(6, 9999, 1));
    assertEquals(await server.read(new Uint8Array(8)), null);
  });
});

describe("closeRead()", TIMEOUT, () => {
  it("ends reading, whatever has arrived and still comes", async () => {
    using listener = listenTcp();
    using client = await connect({ hostname: LOOPBACK, port: listener.addr.port });
    using server = await listener.accept();
    await client.write(bytes("before"));
    await server.socket.readable();
    await server.closeRead();
    await client.write(bytes("after"));
    for (let again = 0; again < 3; again++) assertEquals(await server.read(new Uint8Array(8)), null);
    await server.write(bytes("still writes"));
    const p = new Uint8Array(64);
    assertEquals(text(p.subarray(0, await client.read(p) ?? 0)), "still writes");
  });
});

describe("Closing `writable` of a connection that was reset", TIMEOUT, () => {
  it("closes the connection, and rejects with the reset or resolves", async () => {
    using conn = await reset();
    const { readable } = conn;
    const error = await conn.writable.getWriter().close().then(() => null, (error) => error as SocketError);
    assert(error === null || error.code === "ECONNRESET", String(error));
    assertThrows(() => conn.socket.fd, Deno.errors.BadResource);
    await readable.cancel().catch(() => {});
  });

  it("rejects with the reset where a read has seen it", async () => {
    using conn = await reset();
    const { readable } = conn;
    await rejection(conn.read(new Uint8Array(8)));
    assertEquals(await codeOf(conn.writable.getWriter().close()), "ECONNRESET");
    assertThrows(() => conn.socket.fd, Deno.errors.BadResource);
    await readable.cancel().catch(() => {});
  });
});
