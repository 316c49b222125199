import {
  assert,
  assertEquals,
  assertFalse,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { isSocketError, Socket, type SocketError } from "../../mod.ts";
import { libc } from "../../ffi/libc/libc.ts";
import { ERRORS } from "../../ffi/libc/errno_words.ts";
import { thisSystem } from "../../ffi/libc/host.ts";
import { systemError, unwrap } from "../../ffi/libc/socket_error.ts";
import { bytes } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { nameOf, openListener, tcpAt } from "../socket/support.ts";
import { at, LOOPBACK } from "../support/loopback.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { openUdp } from "../udp/support.ts";

noDescriptorLeaks();

const { errors } = libc().system;

const notGlibc = thisSystem().libraries[0] === "libc.so.6" ? null : "the words of another C library are others";

/** The classes that code written for Deno catches. */
const CLASSES: Readonly<Record<string, new (message?: string) => Error>> = {
  EACCES: Deno.errors.PermissionDenied,
  EADDRINUSE: Deno.errors.AddrInUse,
  EADDRNOTAVAIL: Deno.errors.AddrNotAvailable,
  EAGAIN: Deno.errors.WouldBlock,
  EBADF: Deno.errors.BadResource,
  ECONNABORTED: Deno.errors.ConnectionAborted,
  ECONNREFUSED: Deno.errors.ConnectionRefused,
  ECONNRESET: Deno.errors.ConnectionReset,
  EEXIST: Deno.errors.AlreadyExists,
  EHOSTUNREACH: Deno.errors.NetworkUnreachable,
  EINTR: Deno.errors.Interrupted,
  EINVAL: Error,
  EMFILE: Error,
  ENETUNREACH: Deno.errors.NetworkUnreachable,
  ENOBUFS: Error,
  ENODEV: Deno.errors.NotFound,
  ENOENT: Deno.errors.NotFound,
  ENOTCONN: Deno.errors.NotConnected,
  EPERM: Deno.errors.PermissionDenied,
  EPIPE: Deno.errors.BrokenPipe,
  ETIMEDOUT: Deno.errors.TimedOut,
};

/** What a call fails with, through Deno and through this module. */
async function bothErrors(deno: () => unknown, ours: () => unknown): Promise<[Error, SocketError]> {
  const [theirs, own] = await Promise.all([deno, ours].map(async (call) => {
    try {
      await call();
    } catch (error) {
      assertInstanceOf(error, Error);
      return error;
    }
    throw new Error("Nothing was thrown");
  }));
  assert(isSocketError(own));
  return [theirs!, own];
}

describe("An error of the system", () => {
  for (const [code, errno] of Object.entries(errors)) {
    it(`${code} carries its name, its number and its call`, () => {
      const error = systemError(errno, "connect", "127.0.0.1:80");
      // Some numbers have two names, of which the system's own come first.
      assertEquals(errors[error.code], errno);
      assertEquals([error.errno, error.syscall, error.address], [errno, "connect", "127.0.0.1:80"]);
      assertEquals(error.timeout, code === "ETIMEDOUT");
      assertStringIncludes(error.message, "connect 127.0.0.1:80: ");
      assertStringIncludes(error.message, `(${error.code})`);
      assert(isSocketError(error));
      const errorClass = CLASSES[code];
      if (errorClass !== undefined) assertEquals(error.constructor, errorClass);
    });
  }

  itUnless(notGlibc, "has the words of strerror(3) for every errno that has words", () => {
    const library = Deno.dlopen("libc.so.6", { strerror: { parameters: ["i32"], result: "pointer" } });
    for (const [code, [words]] of Object.entries(ERRORS)) {
      if (errors[code] === undefined) continue;
      const theirs = new Deno.UnsafePointerView(library.symbols.strerror(errors[code])!).getCString();
      assertEquals(words.toLowerCase(), theirs.toLowerCase(), code);
    }
    library.close();
    for (const code of ["EFBIG", "ESPIPE", "EOVERFLOW", "EDQUOT"]) assert(code in ERRORS, code);
  });

  it("of an unknown number has the number as its code", () => {
    const error = systemError(4095, "socket");
    assertEquals([error.code, error.errno, error.address], ["errno 4095", 4095, undefined]);
    assertStringIncludes(error.message, "4095");
  });

  it("has a hint where the failure has one cause", () => {
    const withHint: readonly (readonly [code: string, syscall: string, address: string, hint: string])[] = [
      ["EADDRINUSE", "bind", "127.0.0.1:80", "; pass reusePort: true to every socket that is to share the port"],
      ["EADDRINUSE", "bind", "[::1]:0", "; no local port is free"],
      ["EACCES", "bind", "127.0.0.1:1023", "; ports below 1024 need root or CAP_NET_BIND_SERVICE"],
      ["EPERM", "setsockopt", "SO_MARK", "; this option needs root or CAP_NET_ADMIN"],
      ["EPROTOTYPE", "connect", "/run/x.sock", "; the socket has another transport"],
    ];
    for (const [code, syscall, address, hint] of withHint) {
      assertStringIncludes(systemError(errors[code]!, syscall, address).message, hint);
    }
    assertStringIncludes(systemError(errors.EPERM!, "socket", undefined, "ask root").message, "; ask root");
  });

  it("has no hint where several causes are possible", () => {
    const without: readonly (readonly [code: string, syscall: string, address?: string])[] = [
      ["EADDRINUSE", "bind"],
      ["EACCES", "bind", "127.0.0.1:8080"],
      ["EACCES", "bind", "/run/x.sock"],
      ["EPERM", "setsockopt", "TCP_CONGESTION"],
      ["EINVAL", "setsockopt", "SO_PRIORITY"],
      ["EPERM", "socket"],
      ["EPROTOTYPE", "connect", "127.0.0.1:80"],
    ];
    for (const [code, syscall, address] of without) {
      assert(systemError(errors[code]!, syscall, address).message.endsWith(`(${code})`), `${syscall} ${code}`);
    }
  });

  it("is made for -1 only", () => {
    for (const result of [0, 1, 5, -2]) assertEquals(unwrap(result, "socket"), result);
    libc().c.close(-1);
    const error = assertThrows(() => unwrap(-1, "close", "it"), Deno.errors.BadResource, "close it:");
    assert(isSocketError(error) && error.code === "EBADF");
  });
});

describe("isSocketError()", () => {
  it("is true for errors of the system and of deadlines, and for nothing else", async () => {
    const others = [undefined, null, 5, "EPIPE", {}, new Error("x"), Object.assign(new Error("x"), { code: "EPIPE" })];
    for (const other of others) assertFalse(isSocketError(other));
    const whole = { code: "EPIPE", errno: 32, syscall: "send", timeout: false };
    assertFalse(isSocketError(whole));
    assert(isSocketError(Object.assign(new Error("x"), whole)));
    // Those of node:net are of the system too, and say nothing of timeouts.
    for (const key of Object.keys(whole)) {
      const { [key as "code"]: _, ...rest } = whole;
      assertFalse(isSocketError(Object.assign(new Error("x"), rest)), `without ${key}`);
    }
    for (const wrong of [{ code: 20 }, { errno: "32" }]) {
      assertFalse(isSocketError(Object.assign(new Error("x"), { ...whole, ...wrong })), JSON.stringify(wrong));
    }
    using socket = openUdp();
    socket.setReadDeadline(new Date(0));
    assert(isSocketError(await assertRejects(() => socket.receive(), Deno.errors.TimedOut)));
    assertFalse(isSocketError(assertThrows(() => socket.connect(at("x", 1)), TypeError)));
  });
});

describe("What Deno's own sockets throw", TIMEOUT, () => {
  it("is thrown for a port in use", async () => {
    using listener = openListener();
    const { port } = nameOf(listener);
    using socket = Socket.open("inet", "stream");
    const [theirs, ours] = await bothErrors(
      () => Deno.listen({ hostname: LOOPBACK, port }),
      () => socket.bind(tcpAt(port)),
    );
    assertEquals([ours.name, ours.constructor], [theirs.name, theirs.constructor]);
  });

  it("is thrown for an address of another machine", async () => {
    using socket = Socket.open("inet", "stream");
    const [theirs, ours] = await bothErrors(
      () => Deno.listen({ hostname: "192.0.2.254", port: 0 }),
      () => socket.bind(tcpAt(0, "192.0.2.254")),
    );
    assertEquals(ours.constructor, theirs.constructor);
  });

  it("is thrown if nothing listens", async () => {
    using socket = Socket.open("inet", "stream");
    const [theirs, ours] = await bothErrors(
      () => Deno.connect({ hostname: LOOPBACK, port: 9 }),
      () => socket.connect(tcpAt(9)),
    );
    assertEquals(ours.constructor, theirs.constructor);
  });

  it("is thrown for a path that does not exist", async () => {
    using socket = Socket.open("unix", "stream");
    const [theirs, ours] = await bothErrors(
      () => Deno.connect({ transport: "unix", path: "/no/such/socket" }),
      () => socket.connect({ transport: "unix", path: "/no/such/socket" }),
    );
    assertEquals(ours.constructor, theirs.constructor);
    assertEquals(ours.address, "/no/such/socket");
  });

  it("is thrown for a write after the peer has closed", async () => {
    using listener = openListener();
    using socket = Socket.open("inet", "stream");
    await socket.connect(nameOf(listener));
    (await listener.accept()).close();
    socket.shutdown("write");
    const error = await assertRejects(() => socket.send(bytes("x")), Deno.errors.BrokenPipe);
    assert(isSocketError(error) && error.code === "EPIPE");
  });
});
