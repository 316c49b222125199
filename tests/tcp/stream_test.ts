import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { isSocketError, sockopt, type TcpConn } from "../../mod.ts";
import { FLOOD, narrow, readToEnd } from "../conformance/stream/pair.ts";
import { pattern } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { start } from "../support/process.ts";
import { isPending, rejection } from "../support/promises.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { connectedPair, listenTcp } from "./support.ts";
import { linuxTable } from "../support/systems.ts";

noDescriptorLeaks();

const NOT_LINUX = linuxTable ? null : "needs TCP_USER_TIMEOUT of Linux";
const NO_PYTHON = await missingCommands("python3");

/** Closes without a goodbye. */
function reset(conn: TcpConn): void {
  conn.setLinger(0);
  conn.close();
}

/** Resolves once whatever the peer last did has arrived. */
async function arrival(conn: TcpConn): Promise<void> {
  await conn.socket.readable();
}

function assertReset(error: unknown): void {
  assertInstanceOf(error, Deno.errors.ConnectionReset);
  assert(isSocketError(error));
  assertEquals(error.code, "ECONNRESET");
}

/** A write that a reset has cut off. macOS and FreeBSD look at the write side first, which is shut down. */
function assertCutOff(error: unknown): void {
  if (linuxTable) assertReset(error);
  else assertInstanceOf(error, Deno.errors.BrokenPipe);
}

describe("A peer that closes", TIMEOUT, () => {
  it("is read as the end", async () => {
    using pair = await connectedPair();
    pair.two.close();
    assertEquals(await pair.one.read(new Uint8Array(8)), null);
  });

  it("is still read as the end after writes that it answered with a reset", async () => {
    using pair = await connectedPair();
    const { one, two } = pair;
    await two.write(Uint8Array.of(1, 2, 3));
    two.close();
    await arrival(one);
    let error: unknown;
    while (error === undefined) error = await one.write(pattern(10)).then(() => undefined, (error) => error);
    assertInstanceOf(error, Deno.errors.BrokenPipe);
    assertEquals(await readToEnd(one), Uint8Array.of(1, 2, 3));
    assertEquals(await one.read(new Uint8Array(8)), null);
  });

  it("is read as the end after a write that it answered with an unreported reset", async () => {
    using pair = await connectedPair();
    const { one, two } = pair;
    two.close();
    await arrival(one);
    await one.write(pattern(10));
    assertEquals(await one.read(new Uint8Array(8)), null);
    assertEquals(await one.read(new Uint8Array(8)), null);
  });
});

describe("A peer that resets", TIMEOUT, () => {
  it("is ConnectionReset for waiting and later reads, and never the end", async () => {
    using pair = await connectedPair();
    const { one, two } = pair;
    const waiting = Promise.all([1, 2, 3].map(() => rejection(one.read(new Uint8Array(8)))));
    assert(await isPending(waiting));
    reset(two);
    for (const error of await waiting) assertReset(error);
    assertReset(await rejection(one.read(new Uint8Array(8))));
    assertReset(await rejection(one.read(new Uint8Array(8))));
  });

  it("is ConnectionReset for reads after a write has reported it", async () => {
    using pair = await connectedPair();
    const { one, two } = pair;
    reset(two);
    await arrival(one);
    const error = await rejection(one.write(pattern(8)));
    assertCutOff(error);
    assertEquals((error as { bytesWritten?: number }).bytesWritten, 0);
    assertReset(await rejection(one.read(new Uint8Array(8))));
    assertInstanceOf(await rejection(one.write(pattern(8))), Deno.errors.BrokenPipe);
  });

  it("rejects a waiting write with the number of bytes sent", async () => {
    using pair = await connectedPair();
    const { one, two } = pair;
    narrow(one, two);
    const writing = rejection(one.write(pattern(FLOOD)));
    assert(await isPending(writing));
    reset(two);
    const error = await writing;
    assertCutOff(error);
    const { bytesWritten } = error as { bytesWritten?: number };
    assert(bytesWritten! > 0 && bytesWritten! < FLOOD);
    assertReset(await rejection(one.read(new Uint8Array(8))));
  });

  it("fails the streams", async () => {
    using pair = await connectedPair();
    const reading = rejection(Array.fromAsync(pair.one.readable));
    assert(await isPending(reading));
    reset(pair.two);
    assertReset(await reading);
  });

  it("is reported when all data sent before has been read", async () => {
    using pair = await connectedPair();
    const { one, two } = pair;
    await two.write(Uint8Array.of(1, 2, 3));
    reset(two);
    await arrival(one);
    const p = new Uint8Array(8);
    const first = await one.read(p).catch((error) => error);
    // Linux keeps what had arrived, other systems throw it away.
    if (first === 3) assertReset(await rejection(one.read(p)));
    else assertReset(first);
  });
});

describe("A peer that does not acknowledge in time", TIMEOUT, () => {
  itUnless(NOT_LINUX, "is TimedOut for the waiting write and every read, and never the end", async () => {
    using pair = await connectedPair();
    const { one, two } = pair;
    narrow(one, two);
    one.socket.setOption(sockopt.TCP_USER_TIMEOUT, 100);
    const errors = [await rejection(one.write(pattern(FLOOD)))];
    for (const _ of "12") errors.push(await rejection(one.read(new Uint8Array(8))));
    for (const error of errors) {
      assertInstanceOf(error, Deno.errors.TimedOut);
      assert(isSocketError(error));
      assertEquals([error.code, error.timeout], ["ETIMEDOUT", true]);
      assert(error.errno > 0);
    }
  });
});

describe("Closing", TIMEOUT, () => {
  it("resets the connection with a linger of 0, and ends it orderly by default", async () => {
    using orderly = await connectedPair();
    orderly.one.close();
    assertEquals(await orderly.two.read(new Uint8Array(8)), null);
    using abrupt = await connectedPair();
    abrupt.one.setLinger(0);
    abrupt.one.setLinger(null);
    abrupt.one.setLinger(0);
    abrupt.one.close();
    assertReset(await rejection(abrupt.two.read(new Uint8Array(8))));
  });

  it("resets the connection if data was left unread, as TCP requires", async () => {
    using pair = await connectedPair();
    const { one, two } = pair;
    await two.write(Uint8Array.of(1));
    await arrival(one);
    one.close();
    assertReset(await rejection(two.read(new Uint8Array(8))));
  });
});

describe("Urgent data", TIMEOUT, () => {
  itUnless(NO_PYTHON, "does not hide the data behind it", async () => {
    using listener = listenTcp();
    const script = [
      "import socket, sys",
      `peer = socket.create_connection(("127.0.0.1", ${listener.addr.port}))`,
      "sys.stdin.readline()",
      "peer.send(b'abc'); peer.send(b'!', socket.MSG_OOB); peer.send(b'def')",
      "print('sent', flush=True)",
      "sys.stdin.readline()",
    ];
    await using child = start("python3", ["-c", script.join("\n")], { stdin: true });
    using conn = await listener.accept();
    // Watched by the poller, before anything has come.
    const abort = new AbortController();
    const waiting = rejection(conn.read(new Uint8Array(8), { signal: abort.signal }));
    abort.abort();
    await waiting;
    await child.write("\n");
    await child.waitForLine(/^sent$/);
    let text = "";
    while (text.length < 6) {
      const p = new Uint8Array(64);
      text += new TextDecoder().decode(p.subarray(0, (await conn.read(p))!));
    }
    assertEquals(text, "abcdef");
    assertEquals(conn.socket.getOption(sockopt.SO_ERROR), 0);
    await child.write("\n");
    await child.finished();
  });
});
