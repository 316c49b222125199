import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type BpfInstruction, isSocketError, Socket } from "../../mod.ts";
import { thisSystem } from "../../ffi/libc/host.ts";
import { encodeFilter, setFilterAddress } from "../../ffi/struct/sock_filter.ts";
import { bytes, text } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { at, LOOPBACK } from "../support/loopback.ts";
import { unknownHere } from "../support/kernel.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";

noDescriptorLeaks();

const missing = thisSystem().constants.SO_ATTACH_FILTER === 0 ? "no SO_ATTACH_FILTER here" : null;

/** Why a filter cannot be removed, or null. */
const notRemovable = missing ?? unknownHere("SO_DETACH_FILTER", () => {
  using socket = Socket.open("inet", "dgram");
  socket.attachFilter([{ code: 0x06, k: 0 }]);
  socket.detachFilter();
});

/** Why a filter cannot be locked, or null. */
const notLockable = missing ?? unknownHere("SO_LOCK_FILTER", () => {
  using socket = Socket.open("inet", "dgram");
  socket.lockFilter();
});

/** Receives the datagrams whose first byte (behind the UDP header of 8) is this one, whole. */
function firstByteIs(letter: string): BpfInstruction[] {
  return [
    { code: 0x30, k: 8 }, // ldb [8]
    { code: 0x15, jt: 0, jf: 1, k: letter.charCodeAt(0) }, // jeq
    { code: 0x06, k: 0xffff_ffff }, // ret all
    { code: 0x06, k: 0 }, // ret none
  ];
}

async function received(program: readonly BpfInstruction[] | null): Promise<string[]> {
  using socket = Socket.open("inet", "dgram");
  socket.bind(at(LOOPBACK, 0));
  socket.attachFilter(firstByteIs("x"));
  if (program === null) socket.detachFilter();
  else socket.attachFilter(program);
  for (const word of ["apple", "banana", "avocado", "zz"]) await socket.send(bytes(word), socket.localAddr);
  const words: string[] = [];
  const p = new Uint8Array(16);
  // The last is let through by every program here, so that waiting ends.
  while (words.at(-1)?.[0] !== "z") words.push(text(p.subarray(0, (await socket.receive(p)).length)));
  return words;
}

describe("A filter", TIMEOUT, () => {
  itUnless(missing, "decides which datagrams are received, and replaces the one before", async () => {
    const [load, compare, all, none] = firstByteIs("a") as [
      BpfInstruction,
      BpfInstruction,
      BpfInstruction,
      BpfInstruction,
    ];
    const orZ = { code: 0x15, jt: 1, jf: 2, k: "z".charCodeAt(0) };
    assertEquals(await received([load, { ...compare, jt: 2, jf: 0 }, { ...orZ, jt: 1, jf: 0 }, none, all]), [
      "apple",
      "avocado",
      "zz",
    ]);
  });

  itUnless(notRemovable, "truncates datagrams, and has no effect once it is detached", async () => {
    assertEquals(await received([{ code: 0x06, k: 10 }]), ["ap", "ba", "av", "zz"]);
    assertEquals(await received(null), ["apple", "banana", "avocado", "zz"]);
  });

  itUnless(notRemovable ?? notLockable, "that is locked stays", () => {
    using socket = Socket.open("inet", "dgram");
    socket.attachFilter(firstByteIs("a"));
    socket.lockFilter();
    for (const change of [() => socket.detachFilter(), () => socket.attachFilter(firstByteIs("b"))]) {
      const error = assertThrows(change, Deno.errors.PermissionDenied);
      assert(isSocketError(error));
      assertEquals(error.code, "EPERM");
    }
  });

  itUnless(missing, "that is invalid is refused, by the module or the kernel", () => {
    using socket = Socket.open("inet", "dgram");
    const wrong: [unknown, new (message?: string) => Error][] = [
      ["x", TypeError],
      [[], RangeError],
      [new Array(4097).fill({ code: 6, k: 0 }), RangeError],
      [[null], TypeError],
      [[{ code: 6 }], TypeError],
      [[{ code: 6, k: -1 }], RangeError],
      [[{ code: 6, k: 2 ** 32 }], RangeError],
      [[{ code: 65_536, k: 0 }], RangeError],
      [[{ code: 6, jt: 256, k: 0 }], RangeError],
      [[{ code: 6, k: 1.5 }], TypeError],
    ];
    for (const [program, errorClass] of wrong) {
      assertThrows(() => socket.attachFilter(program as BpfInstruction[]), errorClass);
    }
    // It does not end in a return.
    const error = assertThrows(() => socket.attachFilter([{ code: 0x30, k: 0 }]), Error, "SO_ATTACH_FILTER");
    assert(isSocketError(error));
    assertEquals(error.code, "EINVAL");
  });

  itUnless(notRemovable, "that is not there cannot be detached", () => {
    using socket = Socket.open("inet", "dgram");
    assertThrows(() => socket.detachFilter(), Deno.errors.NotFound);
  });

  itUnless(missing === null ? "SO_ATTACH_FILTER is here" : null, "is NotSupported by name elsewhere", () => {
    using socket = Socket.open("inet", "dgram");
    assertThrows(() => socket.attachFilter([{ code: 6, k: 0 }]), Deno.errors.NotSupported, "SO_ATTACH_FILTER");
    assertThrows(() => socket.detachFilter(), Deno.errors.NotSupported, "SO_DETACH_FILTER");
    assertThrows(() => socket.lockFilter(), Deno.errors.NotSupported, "SO_LOCK_FILTER");
  });
});

describe("struct sock_fprog", () => {
  it("has the number of instructions, a pointer behind itself, and the instructions", () => {
    const encoded = encodeFilter([{ code: 0x15, jt: 1, jf: 2, k: 0x1234_5678 }, { code: 6, k: 0 }]);
    setFilterAddress(encoded, 0x7f00_0000_0000n);
    assertEquals(
      encoded,
      Uint8Array.of(
        ...[2, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0x7f, 0, 0],
        ...[0x15, 0, 1, 2, 0x78, 0x56, 0x34, 0x12],
        ...[6, 0, 0, 0, 0, 0, 0, 0],
      ),
    );
  });
});
