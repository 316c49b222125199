import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { closeSync, openSync } from "node:fs";
import { listenDatagram, type OwnedFd, socketPair } from "../../mod.ts";
import { libc } from "../../ffi/libc/libc.ts";
import { assertSameBytes } from "../support/assertions.ts";
import { bytes, joined, pattern, text } from "../support/bytes.ts";
import { descriptorCount, noDescriptorLeaks } from "../support/descriptors.ts";
import { pipe } from "../support/pipes.ts";
import { isPending } from "../support/promises.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { Directory, notLinux } from "./support.ts";

noDescriptorLeaks();

/** Closes a number of a pipe, which node:fs does not know. */
function closePipe(fd: number): void {
  libc().c.close(fd);
}

/** Passes descriptors to this same process and closes those that were passed. */
async function pass(fds: readonly number[], close: (fd: number) => void): Promise<OwnedFd[]> {
  const [one, two] = socketPair("stream");
  using _one = one;
  using _two = two;
  await one.sendMessage({ data: new Uint8Array(1), fds });
  for (const fd of fds) close(fd);
  return (await two.receiveMessage())!.fds;
}

/** Passes what node:fs opened. */
function passed(...fds: number[]): Promise<OwnedFd[]> {
  return pass(fds, closeSync);
}

async function passedPipe(): Promise<{ reads: OwnedFd; writes: OwnedFd }> {
  const [reads, writes] = await pass(pipe(), closePipe);
  return { reads: reads!, writes: writes! };
}

/** Whether a descriptor's open file description is non-blocking. */
function isNonblocking(fd: number): boolean {
  const [, flags] = Deno.readTextFileSync(`/proc/self/fdinfo/${fd}`).match(/^flags:\s+([0-7]+)$/m)!;
  return (parseInt(flags!, 8) & 0o4000) !== 0;
}

describe("OwnedFd.kind", TIMEOUT, () => {
  it("tells what a descriptor leads to", async () => {
    using directory = new Directory();
    Deno.writeTextFileSync(directory.file("file"), "");
    using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
    const opened = [directory.file("file"), directory.path, "/dev/null"].map((path) => openSync(path, "r"));
    const [file, folder, device] = await passed(...opened);
    const { reads, writes } = await passedPipe();
    const kinds = [file, folder, device, reads, writes].map((owned) => owned!.kind);
    assertEquals(kinds, ["file", "directory", "character device", "pipe", "pipe"]);
    const [one, two] = socketPair("stream");
    await one.sendMessage({ data: new Uint8Array(1), fds: [udp] });
    using socket = (await two.receiveMessage())!.fds[0]!;
    assertEquals(socket.kind, "socket");
    one.close();
    two.close();
    for (const owned of [file, folder, device, reads, writes]) owned!.close();
    assertThrows(() => file!.kind, Deno.errors.BadResource);
  });
});

describe("A pipe that was passed", TIMEOUT, () => {
  it("is read to its end, as it is written", async () => {
    const { reads, writes } = await passedPipe();
    const reader = reads.readable.getReader();
    assertThrows(() => reads.fd, Deno.errors.BadResource);
    const waiting = reader.read();
    assert(await isPending(waiting));
    const writer = writes.writable.getWriter();
    await writer.write(bytes("hello"));
    assertEquals(text((await waiting).value!), "hello");
    await writer.close();
    assertEquals((await reader.read()).done, true);
    assertThrows(() => writes.fd, Deno.errors.BadResource);
  });

  it("carries more than it holds, without blocking the event loop", async () => {
    const { reads, writes } = await passedPipe();
    const data = pattern(1_000_000, 5);
    const writer = writes.writable.getWriter();
    const written = writer.write(data).then(() => writer.close());
    assert(await isPending(written));
    assertSameBytes(joined(await Array.fromAsync(reads.readable)), data);
    await written;
  });

  itUnless(notLinux, "is as blocking as it was, for whoever else has it", async () => {
    const [read, write] = pipe();
    const [one, two] = socketPair("stream");
    await one.sendMessage({ data: new Uint8Array(1), fds: [read, write] });
    const [reads, writes] = (await two.receiveMessage())!.fds;
    const reader = reads!.readable.getReader();
    const writer = writes!.writable.getWriter();
    await writer.write(bytes("x"));
    assertEquals((await reader.read()).value, bytes("x"));
    assertEquals([isNonblocking(read), isNonblocking(write)], [false, false]);
    await reader.cancel();
    await writer.abort();
    for (const fd of [read, write]) closePipe(fd);
    one.close();
    two.close();
  });

  it("whose reader has gone breaks", async () => {
    const { reads, writes } = await passedPipe();
    const writer = writes.writable.getWriter();
    reads.close();
    await assertRejects(() => writer.write(bytes("x")), Deno.errors.BrokenPipe, "write");
    await assertRejects(() => writer.closed, Deno.errors.BrokenPipe);
  });

  it("is closed when its stream is cancelled or aborted, also while it waits", async () => {
    const before = descriptorCount();
    const { reads, writes } = await passedPipe();
    const reader = reads.readable.getReader();
    const waiting = reader.read();
    assert(await isPending(waiting));
    await reader.cancel();
    assertEquals((await waiting).done, true);
    await writes.writable.abort();
    assertEquals(descriptorCount(), before);
  });

  it("is one stream, however often it is asked for", async () => {
    const { reads, writes } = await passedPipe();
    assert(reads.readable === reads.readable && writes.writable === writes.writable);
    await reads.readable.cancel();
    await writes.writable.close();
  });

  it("is not read at its writing end, nor written at its reading end", async () => {
    const { reads, writes } = await passedPipe();
    assertThrows(() => writes.readable, TypeError, "not readable");
    assertThrows(() => reads.writable, TypeError, "not writable");
    reads.close();
    writes.close();
    assertThrows(() => reads.readable, Deno.errors.BadResource);
  });
});

describe("A file that was passed", TIMEOUT, () => {
  it("is read from where it stands, and written to", async () => {
    using directory = new Directory();
    const data = pattern(300_000, 9);
    Deno.writeFileSync(directory.file("log"), data);
    const [file] = await passed(openSync(directory.file("log"), "r"));
    const chunks = await Array.fromAsync(file!.readable);
    assert(chunks.every(({ length }) => length <= 65_536));
    assertSameBytes(joined(chunks), data);
    const [log] = await passed(openSync(directory.file("log"), "a"));
    const writer = log!.writable.getWriter();
    await writer.write(bytes("appended"));
    await writer.close();
    assertSameBytes(Deno.readFileSync(directory.file("log")), joined([data, bytes("appended")]));
  });

  it("that is open for both is closed when both streams have ended", async () => {
    using directory = new Directory();
    Deno.writeTextFileSync(directory.file("both"), "there");
    const before = descriptorCount();
    const [file] = await passed(openSync(directory.file("both"), "r+"));
    const writer = file!.writable.getWriter();
    assertEquals(text(joined(await Array.fromAsync(file!.readable))), "there");
    assertEquals(descriptorCount(), before + 1);
    await writer.write(bytes(" and more"));
    await writer.close();
    assertEquals(descriptorCount(), before);
    assertEquals(Deno.readTextFileSync(directory.file("both")), "there and more");
  });

  it("leaves the event loop its turns", async () => {
    using directory = new Directory();
    Deno.writeFileSync(directory.file("large"), new Uint8Array(4_000_000));
    const [file] = await passed(openSync(directory.file("large"), "r"));
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    const chunks = await Array.fromAsync(file!.readable);
    clearInterval(timer);
    assert(chunks.length >= 61);
    assert(turns > 0, "no timer ran");
  });
});

describe("What has no bytes", TIMEOUT, () => {
  it("is no stream", async () => {
    using directory = new Directory();
    const [folder] = await passed(openSync(directory.path, "r"));
    assertThrows(() => folder!.readable, TypeError, "directory");
    folder!.close();
    const [one, two] = socketPair("stream");
    await one.sendMessage({ data: bytes("x"), fds: [one] });
    using owned = (await two.receiveMessage())!.fds[0]!;
    assertThrows(() => owned.readable, TypeError, "open()");
    assertThrows(() => owned.writable, TypeError, "open()");
    one.close();
    two.close();
  });

  it("is a device: /dev/null takes all and gives nothing, /dev/zero gives without end", async () => {
    const [nothing, zero] = await passed(openSync("/dev/null", "r+"), openSync("/dev/zero", "r"));
    const writer = nothing!.writable.getWriter();
    await writer.write(pattern(100_000));
    assertEquals(await Array.fromAsync(nothing!.readable), []);
    await writer.close();
    const reader = zero!.readable.getReader();
    const { value } = await reader.read();
    assert(value!.length > 0 && value!.every((byte) => byte === 0));
    await reader.cancel();
  });
});
