import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertLess,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { connect } from "../../mod.ts";
import { encodeInet, parseHost } from "../../ffi/address/address.ts";
import { Connecting } from "../../ffi/io/connect.ts";
import { openDescriptor } from "../../ffi/io/descriptor.ts";
import { AGAIN } from "../../ffi/io/operation.ts";
import { libc } from "../../ffi/libc/libc.ts";
import { CountedSignal } from "../conformance/stream/signals.ts";
import { assertTimedOut } from "../support/assertions.ts";
import { descriptorCount, noDescriptorLeaks } from "../support/descriptors.ts";
import { LOOPBACK } from "../support/loopback.ts";
import { after, isPending, PAST, rejection } from "../support/promises.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { Blackhole, NO_BLACKHOLE } from "./blackhole.ts";
import { listenTcp } from "./support.ts";

noDescriptorLeaks();

/** Milliseconds by which the end of a dial may be late. */
const LATE = 50;

/** How often a late one may have been the machine's fault. */
const TRIES = 3;

/** Runs a dial that hangs; `ending` returns when it should have ended, by performance.now(), and what it ended with. */
async function assertPunctual(ending: () => Promise<{ due: number; error: unknown }>): Promise<unknown> {
  for (let left = TRIES - 1;; left--) {
    const before = descriptorCount();
    const { due, error } = await ending();
    const late = performance.now() - due;
    assertEquals(descriptorCount(), before);
    if (late <= LATE || left === 0) {
      assertLess(late, LATE);
      return error;
    }
  }
}

describe("A dial that hangs", TIMEOUT, () => {
  itUnless(NO_BLACKHOLE, "ends within 50 ms of an abort, with its reason and no descriptor left", async () => {
    using blackhole = await Blackhole.open(LOOPBACK);
    const reason = new Error("enough");
    const error = await assertPunctual(async () => {
      const abort = new AbortController();
      const dialling = rejection(connect({ port: blackhole.addr.port, signal: abort.signal }));
      assert(await isPending(dialling));
      let due = Infinity;
      setTimeout(() => {
        due = performance.now();
        abort.abort(reason);
      }, 40);
      return { error: await dialling, due };
    });
    assertStrictEquals(error, reason);
  });

  itUnless(NO_BLACKHOLE, "ends within 50 ms of its deadline, as TimedOut and with no descriptor left", async () => {
    using blackhole = await Blackhole.open(LOOPBACK);
    const error = await assertPunctual(async () => {
      const due = performance.now() + 60;
      const deadline = after(60);
      const error = await rejection(connect({ port: blackhole.addr.port, deadline }));
      assert(Date.now() >= deadline.getTime());
      return { error, due };
    });
    assertTimedOut(error);
    assertEquals(error.syscall, "connect");
  });

  itUnless(
    NO_BLACKHOLE,
    "ends within 50 ms of AbortSignal.timeout, as TimeoutError and with no descriptor left",
    async () => {
      using blackhole = await Blackhole.open(LOOPBACK);
      const error = await assertPunctual(async () => {
        const due = performance.now() + 60;
        return { error: await rejection(connect({ port: blackhole.addr.port, signal: AbortSignal.timeout(60) })), due };
      });
      assertEquals((error as Error).name, "TimeoutError");
    },
  );

  itUnless(NO_BLACKHOLE, "ends with its socket closed by control", async () => {
    using blackhole = await Blackhole.open(LOOPBACK);
    let close: () => void;
    const control = (socket: Disposable) => void (close = () => socket[Symbol.dispose]());
    const dialling = rejection(connect({ port: blackhole.addr.port, control }));
    assert(await isPending(dialling));
    close!();
    assertInstanceOf(await dialling, Deno.errors.Interrupted);
  });

  itUnless(NO_BLACKHOLE, "ends as ConnectionAborted if another call has read its error", async () => {
    using blackhole = await Blackhole.open(LOOPBACK);
    let fd = -1;
    const control = (socket: { fd: number }) => void (fd = socket.fd);
    const dialling = rejection(connect({ port: blackhole.addr.port, control }));
    assert(await isPending(dialling));
    const { c, system: { constants, errors, options } } = libc();
    // The error is ECONNRESET, which the system reports once.
    c.shutdown(fd, constants.SHUT_RDWR);
    const value = new Int32Array(1);
    c.getsockopt(fd, constants.SOL_SOCKET, options.SO_ERROR!.name, value, Uint32Array.of(4));
    assertEquals(value[0], errors.ECONNRESET);
    const error = await dialling;
    assertInstanceOf(error, Deno.errors.ConnectionAborted, String(error));
    assertStringIncludes(error.message, "another call has read its error");
  });

  itUnless(NO_BLACKHOLE, "goes on where the poller reports it without a reason", async () => {
    using blackhole = await Blackhole.open(LOOPBACK);
    const { AF_INET, SOCK_STREAM } = libc().system.constants;
    const descriptor = openDescriptor(AF_INET, SOCK_STREAM, 0);
    const address = parseHost(LOOPBACK, blackhole.addr.port)!;
    const connecting = new Connecting(descriptor, encodeInet(address), "the address");
    // The first attempt dials, and each further one asks for the outcome.
    for (let attempt = 0; attempt < 3; attempt++) assertEquals(connecting.attempt(), AGAIN);
    descriptor.close();
  });

  itUnless(NO_BLACKHOLE, "is independent of other hanging dials", async () => {
    using blackhole = await Blackhole.open(LOOPBACK);
    const before = descriptorCount();
    const aborts = Array.from({ length: 20 }, () => new AbortController());
    const { port } = blackhole.addr;
    const dials = aborts.map(({ signal }, index) =>
      index % 2 === 0
        ? rejection(connect({ port, signal }))
        : rejection(connect({ port, signal, deadline: after(600_000) }))
    );
    assert(await isPending(Promise.race(dials)));
    for (const [index, abort] of aborts.entries()) {
      abort.abort(index);
      assertEquals(await dials[index], index);
      if (index < aborts.length - 1) assert(await isPending(dials[index + 1]!));
    }
    assertEquals(descriptorCount(), before);
  });
});

describe("connect()", TIMEOUT, () => {
  it("opens nothing for a signal that was aborted or a deadline that has passed", async () => {
    using listener = listenTcp();
    const { port } = listener.addr;
    const before = descriptorCount();
    let opened = 0;
    const control = () => void opened++;
    const reason = new Error("before");
    assertStrictEquals(await rejection(connect({ port, control, signal: AbortSignal.abort(reason) })), reason);
    assertTimedOut(await rejection(connect({ port, control, deadline: PAST })));
    assertEquals([opened, descriptorCount()], [0, before]);
  });

  it("leaves no deadline on the connection and no listener on the signal", async () => {
    using listener = listenTcp();
    const counted = new CountedSignal();
    const { port } = listener.addr;
    using conn = await connect({ port, deadline: after(600_000), signal: counted.signal });
    assertEquals(counted.count, 0);
    counted.abort();
    using accepted = await listener.accept();
    await accepted.write(Uint8Array.of(1));
    assertEquals(await conn.read(new Uint8Array(8)), 1);
  });

  itUnless(NO_BLACKHOLE, "has one listener on the signal while it waits, and none when it has failed", async () => {
    using blackhole = await Blackhole.open(LOOPBACK);
    const counted = new CountedSignal();
    const dialling = rejection(
      connect({ port: blackhole.addr.port, deadline: after(20), signal: counted.signal }),
    );
    assertEquals(counted.count, 1);
    assertTimedOut(await dialling);
    assertEquals([counted.count, counted.added], [0, 1]);
  });

  it("refuses an invalid deadline", async () => {
    for (const bad of [new Date(NaN), NaN, "soon"]) {
      assertInstanceOf(await rejection(connect({ port: 1, deadline: bad as Date })), TypeError);
    }
  });
});
