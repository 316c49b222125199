import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { FdWatcher, listenDatagram, socketPair, watch } from "../../mod.ts";
import { thisSystem } from "../../ffi/libc/host.ts";
import { descriptorCount, noDescriptorLeaks } from "../support/descriptors.ts";
import { LOOPBACK } from "../support/loopback.ts";
import { missingNamespaces } from "../support/namespaces.ts";
import { run } from "../support/process.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { linuxTable } from "../support/systems.ts";

noDescriptorLeaks();

const linux = linuxTable ? null : `no such descriptors on ${thisSystem().name}`;

const namespaces = await missingNamespaces() ?? await missingCommands("unshare");

/** Descriptors that nothing of this module makes: from libc, by a library of the test's own. */
class Foreign implements Disposable {
  readonly #library = Deno.dlopen(thisSystem().libraries[0]!, {
    pipe: { parameters: ["buffer"], result: "i32" },
    read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
    write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
    close: { parameters: ["i32"], result: "i32" },
    open: { parameters: ["buffer", "i32"], result: "i32" },
    inotify_init1: { parameters: ["i32"], result: "i32", optional: true },
    inotify_add_watch: { parameters: ["i32", "buffer", "u32"], result: "i32", optional: true },
    timerfd_create: { parameters: ["i32", "i32"], result: "i32", optional: true },
    timerfd_settime: { parameters: ["i32", "i32", "buffer", "buffer"], result: "i32", optional: true },
    eventfd: { parameters: ["u32", "i32"], result: "i32", optional: true },
    pidfd_open: { parameters: ["i32", "u32"], result: "i32", optional: true },
  });
  readonly #open = new Set<number>();

  get c() {
    return this.#library.symbols;
  }

  own(fd: number): number {
    assert(fd >= 0);
    this.#open.add(fd);
    return fd;
  }

  pipe(): [reading: number, writing: number] {
    const fds = new Int32Array(2);
    assertEquals(this.c.pipe(fds), 0);
    return [this.own(fds[0]!), this.own(fds[1]!)];
  }

  write(fd: number, bytes = Uint8Array.of(1)): void {
    assertEquals(this.c.write(fd, bytes, BigInt(bytes.length)), BigInt(bytes.length));
  }

  read(fd: number, length = 64): number {
    return Number(this.c.read(fd, new Uint8Array(length), BigInt(length)));
  }

  close(fd: number): void {
    this.#open.delete(fd);
    assertEquals(this.c.close(fd), 0);
  }

  [Symbol.dispose](): void {
    for (const fd of this.#open) this.c.close(fd);
    this.#library.close();
  }
}

/** Whether a promise is still pending after some turns of the event loop. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true;
  promise.then(() => pending = false, () => pending = false);
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
  return pending;
}

describe("watch()", TIMEOUT, () => {
  it("tells of each thing that a pipe gets, and of its end", async () => {
    using foreign = new Foreign();
    const [reading, writing] = foreign.pipe();
    using watcher = watch(reading);
    assert(watcher instanceof FdWatcher);
    for (let round = 0; round < 50; round++) {
      const waiting = watcher.readable();
      if (round % 10 === 0) assert(await isPending(waiting));
      foreign.write(writing);
      await waiting;
      await watcher.readable();
      assertEquals(foreign.read(reading), 1);
    }
    const end = watcher.readable();
    foreign.close(writing);
    await end;
    assertEquals(foreign.read(reading), 0);
  });

  it("tells when a full pipe takes more", async () => {
    using foreign = new Foreign();
    const [reading, writing] = foreign.pipe();
    using watcher = watch(writing);
    await watcher.writable();
    const size = 65_536;
    foreign.write(writing, new Uint8Array(size));
    const waiting = watcher.writable();
    assert(await isPending(waiting));
    assertEquals(foreign.read(reading, size), size);
    await waiting;
  });

  itUnless(linux, "serves a timer, an eventfd, an end of a process and a changed folder", async () => {
    using foreign = new Foreign();
    const { c } = foreign;
    const timer = foreign.own(c.timerfd_create!(1, 0));
    using ticking = watch(timer);
    // struct itimerspec: every 2 ms.
    const every = new BigInt64Array([0n, 2_000_000n, 0n, 2_000_000n]);
    assertEquals(c.timerfd_settime!(timer, 0, new Uint8Array(every.buffer), null), 0);
    for (let tick = 0; tick < 5; tick++) {
      await ticking.readable();
      assertEquals(foreign.read(timer, 8), 8);
    }
    const event = foreign.own(c.eventfd!(0, 0));
    using events = watch(event);
    const signalled = events.readable();
    foreign.write(event, new Uint8Array(BigUint64Array.of(3n).buffer));
    await signalled;
    assertEquals(foreign.read(event, 8), 8);
    const folder = await Deno.makeTempDir();
    try {
      const inotify = foreign.own(c.inotify_init1!(0));
      const IN_CREATE = 0x100;
      assert(c.inotify_add_watch!(inotify, new TextEncoder().encode(`${folder}\0`), IN_CREATE) > 0);
      using changes = watch(inotify);
      for (const name of ["one", "two", "three"]) {
        const changed = changes.readable();
        assert(await isPending(changed));
        await Deno.writeTextFile(`${folder}/${name}`, "");
        await changed;
        assert(foreign.read(inotify, 4096) > 0);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
    const child = new Deno.Command("sleep", { args: ["60"] }).spawn();
    const pidfd = foreign.own(c.pidfd_open!(child.pid, 0));
    using process = watch(pidfd);
    const ended = process.readable();
    assert(await isPending(ended));
    child.kill("SIGKILL");
    await ended;
    await child.status;
  });

  itUnless(namespaces, "serves a tun device in a namespace", async () => {
    const program = new URL("./programs/watch_tun.ts", import.meta.url).pathname;
    const args = ["--net", Deno.execPath(), "run", "-A", "--no-prompt", program];
    const { stdout, stderr } = await run("unshare", args);
    assertEquals(stdout.trim(), "an IPv4 packet for 192.0.2.77", stderr);
  });

  it("leaves the descriptor open and as it was", async () => {
    using foreign = new Foreign();
    const [reading, writing] = foreign.pipe();
    const before = descriptorCount();
    const watcher = watch(reading);
    assertEquals(descriptorCount(), before + 1);
    const waiting = watcher.readable();
    watcher.close();
    await assertRejects(() => waiting, Deno.errors.Interrupted);
    assertEquals(descriptorCount(), before);
    assertThrows(() => watcher.close(), Deno.errors.BadResource, "Watcher has been closed");
    await assertRejects(() => watcher.readable(), Deno.errors.BadResource, "Watcher has been closed");
    foreign.write(writing);
    // It would be EAGAIN's turn now if watching had made it non-blocking.
    assertEquals(foreign.read(reading), 1);
    watcher[Symbol.dispose]();
  });

  it("goes on when the owner closes its number, and does not touch who has it next", async () => {
    using foreign = new Foreign();
    const [reading, writing] = foreign.pipe();
    const watcher = watch(reading);
    const waiting = watcher.readable();
    foreign.close(reading);
    using next = listenDatagram({ transport: "udp", hostname: LOOPBACK });
    const receiving = next.receive();
    foreign.write(writing);
    await waiting;
    watcher.close();
    await next.send(Uint8Array.of(5), next.addr);
    assertEquals([...(await receiving)[0]], [5]);
  });

  it("serves several watchers of one descriptor, and a received one", async () => {
    const [one, two] = socketPair("stream");
    using foreign = new Foreign();
    const [reading, writing] = foreign.pipe();
    await one.sendMessage({ data: Uint8Array.of(1), fds: [reading] });
    const { fds: [received] } = (await two.receiveMessage())!;
    using owned = received!;
    using first = watch(owned);
    using second = watch(owned.fd);
    using third = watch(reading);
    const waiting = [first, second, third].map((watcher) => watcher.readable());
    foreign.write(writing);
    await Promise.all(waiting);
    one.close();
    two.close();
  });

  it("is ended by a signal, and says so at once of a file", async () => {
    using foreign = new Foreign();
    const [reading, writing] = foreign.pipe();
    using watcher = watch(reading);
    const controller = new AbortController();
    const waiting = watcher.readable({ signal: controller.signal });
    const other = watcher.readable();
    controller.abort(new Error("enough"));
    await assertRejects(() => waiting, Error, "enough");
    foreign.write(writing);
    await other;
    const path = await Deno.makeTempFile();
    try {
      const file = foreign.own(foreign.c.open(new TextEncoder().encode(`${path}\0`), 0));
      using watched = watch(file);
      await watched.readable();
      await watched.writable();
    } finally {
      await Deno.remove(path);
    }
  });

  it("refuses what is no descriptor", () => {
    for (const fd of [-1, 1.5, NaN, 2 ** 31, "3", null, {}] as never[]) {
      assertThrows(() => watch(fd), TypeError, "Invalid descriptor: ");
    }
    assertThrows(() => watch(99_999), Deno.errors.BadResource, "descriptor 99999");
    const Constructor = FdWatcher as unknown as new (fd: number) => FdWatcher;
    assertThrows(() => new Constructor(1), TypeError, "Illegal constructor");
  });

  it("shows what it watches, and lets the process end with unref", async () => {
    using foreign = new Foreign();
    const [reading] = foreign.pipe();
    const watcher = watch(reading);
    assertEquals(Deno.inspect(watcher), `FdWatcher { fd: ${reading}, state: "open" }`);
    watcher.close();
    const module = new URL("../../mod.ts", import.meta.url).href;
    const code = `import { watch } from ${JSON.stringify(module)}; const w = watch(0); w.unref(); w.readable();`;
    const { code: status } = await run(Deno.execPath(), ["eval", code]);
    assertEquals(status, 0);
  });
});
