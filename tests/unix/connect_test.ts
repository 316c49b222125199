import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  connect,
  connectAny,
  isSocketError,
  listen,
  listenDatagram,
  type SocketError,
  sockopt,
  type UnixConn,
  type UnixListener,
} from "../../mod.ts";
import { assertTimedOut } from "../support/assertions.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { after, isPending, PAST, pause, rejection } from "../support/promises.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { abstractName, Directory, leaveStale, noAbstractNames, TRANSPORTS } from "./support.ts";
import { linuxTable, noFullBacklog } from "../support/systems.ts";

noDescriptorLeaks();

/** A listener whose backlog is full; `using` closes it and everything that waits in it. */
class FullBacklog implements Disposable {
  readonly listener: UnixListener;
  readonly #waiting = new DisposableStack();

  private constructor(readonly path: string) {
    this.listener = listen({ transport: "unix", path, backlog: 2 });
  }

  static async at(path: string): Promise<FullBacklog> {
    const full = new FullBacklog(path);
    for (;;) {
      const stop = new AbortController();
      const connecting = connect({ transport: "unix", path, signal: stop.signal });
      if (!await isPending(connecting)) {
        full.#waiting.use(await connecting);
        continue;
      }
      stop.abort("full");
      assertEquals(await rejection(connecting), "full");
      return full;
    }
  }

  /** Connections that wait to be accepted. */
  async drain(): Promise<UnixConn[]> {
    const accepted: UnixConn[] = [];
    for (;;) {
      this.listener.setReadDeadline(after(20));
      try {
        accepted.push(this.#waiting.use(await this.listener.accept()));
      } catch (error) {
        assertTimedOut(error);
        this.listener.setReadDeadline(null);
        return accepted;
      }
    }
  }

  [Symbol.dispose](): void {
    this.listener[Symbol.dispose]();
    this.#waiting.dispose();
  }
}

/** The error of a connect that fails. */
async function refusal(path: string, transport: "unix" | "seqpacket" = "unix"): Promise<SocketError> {
  const error = await rejection(transport === "unix" ? connect({ transport, path }) : connect({ transport, path }));
  assert(isSocketError(error), String(error));
  assertEquals([error.syscall, error.address, error.timeout], ["connect", path, false]);
  return error;
}

describe("connect() to a full backlog", TIMEOUT, () => {
  itUnless(noFullBacklog, "waits until there is room, and is accepted", async () => {
    using directory = new Directory();
    using full = await FullBacklog.at(directory.file());
    const connecting = connect({ transport: "unix", path: full.path });
    assert(await isPending(connecting));
    using first = await full.listener.accept();
    using conn = await connecting;
    await conn.write(Uint8Array.of(42));
    const others = await full.drain();
    const p = new Uint8Array(8);
    assertEquals([await others.at(-1)!.read(p), p[0]], [1, 42]);
    assertEquals(first.localAddr.path, full.path);
  });

  itUnless(noFullBacklog, "allows any number to wait", async () => {
    using directory = new Directory();
    using full = await FullBacklog.at(directory.file());
    using open = new DisposableStack();
    const connecting = Array.from({ length: 20 }, () => connect({ transport: "unix", path: full.path }));
    assert(await isPending(Promise.race(connecting)));
    (async () => {
      for await (const conn of full.listener) open.use(conn);
    })();
    for (const conn of await Promise.all(connecting)) open.use(conn);
  });

  itUnless(noFullBacklog, "ends with the signal's reason, and at once where it was aborted before", async () => {
    using directory = new Directory();
    using full = await FullBacklog.at(directory.file());
    const abort = new AbortController();
    const reason = new Error("enough");
    const connecting = rejection(connect({ transport: "unix", path: full.path, signal: abort.signal }));
    assert(await isPending(connecting));
    abort.abort(reason);
    assertStrictEquals(await connecting, reason);
    const again = connect({ transport: "unix", path: full.path, signal: abort.signal });
    assertStrictEquals(await rejection(again), reason);
  });

  itUnless(noFullBacklog, "ends at its deadline and not before, and at once where that is past", async () => {
    using directory = new Directory();
    using full = await FullBacklog.at(directory.file());
    const deadline = after(30);
    const error = await rejection(connect({ transport: "unix", path: full.path, deadline }));
    assert(Date.now() >= deadline.getTime());
    for (const one of [error, await rejection(connect({ transport: "unix", path: full.path, deadline: PAST }))]) {
      assertTimedOut(one);
      assertEquals(one.syscall, "connect");
    }
    assertEquals((await full.drain()).length, 3);
  });

  itUnless(noFullBacklog, "leaves no deadline on the connection", async () => {
    using directory = new Directory();
    using _listener = listen({ transport: "unix", path: directory.file() });
    using conn = await connect({ transport: "unix", path: directory.file(), deadline: after(100) });
    await pause(101);
    assertEquals(await conn.write(new Uint8Array(1)), 1);
  });

  itUnless(noFullBacklog, "is refused when the listener is closed meanwhile", async () => {
    using directory = new Directory();
    using full = await FullBacklog.at(directory.file());
    const { listener, path } = full;
    const connecting = rejection(connect({ transport: "unix", path }));
    assert(await isPending(connecting));
    listener.close();
    const error = await connecting;
    // The file goes with the listener.
    assert(error instanceof Deno.errors.ConnectionRefused || error instanceof Deno.errors.NotFound, String(error));
  });
});

describe("connect()", TIMEOUT, () => {
  it("to a path without a listener is ConnectionRefused", async () => {
    using directory = new Directory();
    leaveStale(directory.file());
    for (const transport of TRANSPORTS) {
      const error = await refusal(directory.file(), transport);
      assertInstanceOf(error, Deno.errors.ConnectionRefused);
      assertEquals(error.code, "ECONNREFUSED");
    }
  });

  it("to a file that is not a socket is ConnectionRefused", async () => {
    using directory = new Directory();
    Deno.writeTextFileSync(directory.file(), "");
    assertInstanceOf(await refusal(directory.file()), Deno.errors.ConnectionRefused);
    assertInstanceOf(await refusal(directory.path), Deno.errors.ConnectionRefused);
  });

  it("to a path that does not exist is NotFound", async () => {
    using directory = new Directory();
    Deno.symlinkSync("nowhere", directory.file("dangling"));
    for (const path of [directory.file(), directory.file("no/such/socket"), directory.file("dangling")]) {
      const error = await refusal(path);
      assertInstanceOf(error, Deno.errors.NotFound);
      assertEquals(error.code, "ENOENT");
    }
  });

  it("follows a symbolic link", async () => {
    using directory = new Directory();
    using listener = listen({ transport: "unix", path: directory.file() });
    Deno.symlinkSync("socket", directory.file("link"));
    using conn = await connect({ transport: "unix", path: directory.file("link") });
    using _other = await listener.accept();
    assertEquals(conn.remoteAddr.path, directory.file());
  });

  it("to a socket of another type is EPROTOTYPE", async () => {
    using directory = new Directory();
    using _datagrams = listenDatagram({ transport: "unixgram", path: directory.file() });
    const { code, message } = await refusal(directory.file());
    assertEquals(code, "EPROTOTYPE");
    assertStringIncludes(message, `connect ${directory.file()}: protocol wrong type for socket`);
  });

  itUnless(
    noAbstractNames,
    "to an unused abstract name is ConnectionRefused, and shows it with an @",
    async () => {
      const path = abstractName();
      const error = await assertRejects(() => connect({ transport: "unix", path }), Deno.errors.ConnectionRefused);
      assertEquals((error as SocketError).address, `@${path.slice(1)}`);
    },
  );

  it("calls control before it connects, and leaves nothing open if that throws", async () => {
    using directory = new Directory();
    const path = directory.file();
    using listener = listen({ transport: "unix", path });
    const calls: unknown[] = [];
    using conn = await connect({
      transport: "unix",
      path,
      control: (socket, network, address) => {
        calls.push([network, address]);
        socket.setOption(sockopt.SO_SNDBUF, 8192);
      },
    });
    assertEquals(calls, [["unix", { transport: "unix", path }]]);
    // Linux doubles it: socket(7).
    assertEquals(conn.socket.getOption(sockopt.SO_SNDBUF), linuxTable ? 16_384 : 8_192);
    const control = () => {
      throw new Error("not this one");
    };
    await assertRejects(() => connect({ transport: "unix", path, control }), Error, "not this one");
    using _accepted = await listener.accept();
    listener.setReadDeadline(after(10));
    assertTimedOut(await rejection(listener.accept()));
  });
});

describe("connectAny()", TIMEOUT, () => {
  it("takes the first connection, over TCP or a Unix socket", async () => {
    using directory = new Directory();
    const path = directory.file();
    using tcp = listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = tcp.addr;
    using overTcp = await connectAny([{ transport: "unix", path }, { hostname: "127.0.0.1", port }]);
    assertEquals(overTcp.remoteAddr, tcp.addr);
    tcp.close();
    using unix = listen({ transport: "unix", path });
    using overUnix = await connectAny([{ hostname: "127.0.0.1", port }, { transport: "unix", path }]);
    assertEquals(overUnix.remoteAddr, unix.addr);
  });

  itUnless(noFullBacklog, "cancels the others, also one that waits for a full backlog", async () => {
    using directory = new Directory();
    using full = await FullBacklog.at(directory.file());
    using tcp = listen({ hostname: "127.0.0.1", port: 0 });
    using conn = await connectAny([{ transport: "unix", path: full.path }, { port: tcp.addr.port }]);
    assertEquals(conn.remoteAddr, tcp.addr);
    assertEquals((await full.drain()).length, 3);
  });

  it("rejects with every error if none succeeds", async () => {
    using directory = new Directory();
    leaveStale(directory.file("stale"));
    const candidates = ["stale", "missing"].map((name) => ({ transport: "unix" as const, path: directory.file(name) }));
    const error = await assertRejects(() => connectAny(candidates), AggregateError);
    assertEquals(
      error.errors.map((one) => (one as SocketError).code).sort(),
      ["ECONNREFUSED", "ENOENT"],
    );
  });
});
