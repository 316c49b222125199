import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { connect, listen, listenDatagram, type UnixConn } from "../../mod.ts";
import { text } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { start } from "../support/process.ts";
import { isPending } from "../support/promises.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { Remote } from "./remote.ts";
import { Directory, leaveStale } from "./support.ts";
import { noAbstractNames, noFullBacklog, noSeqpacket } from "../support/systems.ts";

noDescriptorLeaks();

/** How often two servers race. */
const RACES = 40;

/** Everything that can be bound to a path, by its type. */
const KINDS = {
  stream: (path: string, options = {}) => listen({ transport: "unix", path, ...options }),
  seqpacket: (path: string, options = {}) => listen({ transport: "seqpacket", path, ...options }),
  datagram: (path: string, options = {}) => listenDatagram({ transport: "unixgram", path, ...options }),
};

const kinds = (Object.keys(KINDS) as (keyof typeof KINDS)[]).filter((kind) =>
  kind !== "seqpacket" || noSeqpacket === null
);

/** Fails unless replaceStale leaves what is at a path alone. */
function assertUntouched(path: string): void {
  // Connecting to it is a use of it.
  const before = { ...Deno.lstatSync(path), atime: null };
  for (const kind of kinds) {
    assertThrows(() => KINDS[kind](path, { replaceStale: true }), Deno.errors.AddrInUse, "it is left as it is");
  }
  assertEquals({ ...Deno.lstatSync(path), atime: null }, before);
}

describe("replaceStale", TIMEOUT, () => {
  for (const before of kinds) {
    it(`replaces the stale file of a ${before} socket`, () => {
      for (const after of kinds) {
        using directory = new Directory();
        const path = directory.file();
        KINDS[before](path, { unlinkOnClose: false }).close();
        assertThrows(
          () => KINDS[after](path),
          Deno.errors.AddrInUse,
          "the path is a socket; replaceStale: true removes it",
        );
        const socket = KINDS[after](path, { replaceStale: true });
        assertEquals(directory.names, ["socket"]);
        socket.close();
        assertEquals(directory.names, []);
      }
    });

    it(`does not replace the path of a live ${before} socket`, () => {
      using directory = new Directory();
      using _live = KINDS[before](directory.file());
      assertUntouched(directory.file());
    });
  }

  it("has no effect without a file, or for an abstract name", () => {
    using directory = new Directory();
    for (const kind of kinds) {
      KINDS[kind](directory.file(), { replaceStale: true }).close();
      assertEquals(directory.names, []);
      if (noAbstractNames === null) KINDS[kind](`\0berkeley-stale-${Deno.pid}`, { replaceStale: true }).close();
    }
  });

  it("does not affect the earlier server's open connections", async () => {
    using directory = new Directory();
    const path = directory.file();
    leaveStale(path);
    using first = listen({ transport: "unix", path, replaceStale: true });
    using conn = await connect({ transport: "unix", path });
    using served = await first.accept();
    assertUntouched(path);
    await conn.write(Uint8Array.of(7));
    assertEquals(await served.read(new Uint8Array(8)), 1);
  });

  it("treats a server with a full backlog as live", async () => {
    using directory = new Directory();
    const path = directory.file();
    using listener = listen({ transport: "unix", path, backlog: 1 });
    using open = new DisposableStack();
    const waiting: Promise<UnixConn>[] = [];
    const stop = new AbortController();
    for (;;) {
      const connecting = connect({ transport: "unix", path, signal: stop.signal });
      // Where a full backlog does not let dials wait, it refuses them.
      if (noFullBacklog !== null && await connecting.catch(() => null) === null) break;
      if (await isPending(connecting)) {
        waiting.push(connecting);
        break;
      }
      open.use(await connecting);
    }
    assertUntouched(path);
    stop.abort("enough");
    for (const { status } of await Promise.allSettled(waiting)) assertEquals(status, "rejected");
    open.use(await listener.accept());
  });

  it("treats a datagram socket with a full queue as live", async () => {
    using directory = new Directory();
    const path = directory.file();
    using sink = listenDatagram({ transport: "unixgram", path });
    using source = listenDatagram({ transport: "unixgram" });
    const stop = new AbortController();
    for (;;) {
      const sending = source.send(new Uint8Array(1), sink.addr, { signal: stop.signal });
      if (!await isPending(sending)) continue;
      assertUntouched(path);
      stop.abort("enough");
      await assertRejects(() => sending.catch((reason) => Promise.reject(new Error(reason))), Error, "enough");
      break;
    }
  });

  it("never removes a regular file, a directory or a symbolic link", () => {
    using directory = new Directory();
    Deno.writeTextFileSync(directory.file("regular"), "precious");
    Deno.mkdirSync(directory.file("directory"));
    Deno.symlinkSync("nowhere", directory.file("dangling"));
    leaveStale(directory.file("stale"));
    Deno.symlinkSync("stale", directory.file("link to stale"));
    Deno.symlinkSync("regular", directory.file("link to regular"));
    const before = directory.names;
    for (const name of before) {
      if (name !== "stale") {
        assertUntouched(directory.file(name));
      }
    }
    assertEquals(directory.names, before);
    assertEquals(Deno.readTextFileSync(directory.file("regular")), "precious");
  });

  it("waits for another server that holds the lock of the directory", async () => {
    using directory = new Directory();
    leaveStale(directory.file());
    const holder = `
      const directory = Deno.openSync(${JSON.stringify(directory.path)});
      directory.lockSync(true);
      console.log("locked");
      setTimeout(() => directory.unlockSync(), 100);
      setTimeout(() => {}, 1e9);`;
    await using child = start(Deno.execPath(), ["eval", holder]);
    await child.waitForLine(/^locked$/);
    listen({ transport: "unix", path: directory.file(), replaceStale: true }).close();
  });

  it("leaves no lock behind, and nothing else", () => {
    using directory = new Directory();
    leaveStale(directory.file());
    const listener = listen({ transport: "unix", path: directory.file(), replaceStale: true });
    assertEquals(directory.names, ["socket"]);
    listener.close();
    assertEquals(directory.names, []);
  });
});

describe("Two servers that start at once", TIMEOUT, () => {
  for (const [what, first, second] of [["both with replaceStale", true, true], ["one without", true, false]] as const) {
    it(`on a stale path, ${what}: one of them gets it, and works`, async () => {
      using directory = new Directory();
      await using one = await Remote.start();
      await using two = await Remote.start();
      const wins = { one: 0, two: 0, neither: 0 };
      for (let round = 0; round < RACES; round++) {
        const path = directory.file(`socket-${round}`);
        leaveStale(path);
        const outcomes = await race([one, first], [two, second], path);
        const winner = await assertOneWinner(outcomes, [one, two], path);
        wins[winner]++;
      }
      assertEquals(wins.one + wins.two, RACES);
    });
  }

  it("on a new path: one of them gets it, and works", async () => {
    using directory = new Directory();
    await using one = await Remote.start();
    await using two = await Remote.start();
    for (let round = 0; round < RACES; round++) {
      const path = directory.file(`socket-${round}`);
      await assertOneWinner(await race([one, true], [two, round % 2 === 0], path), [one, two], path);
    }
  });
});

type Racer = [remote: Remote, replaceStale: boolean];

/** Lets two servers listen at one moment, and gives how it went. */
async function race(one: Racer, two: Racer, path: string): Promise<unknown[]> {
  const time = Date.now() + 4;
  return await Promise.all(
    [one, two].map(([remote, replaceStale]) =>
      remote.outcome("listenAt", time, { transport: "unix", path, replaceStale })
    ),
  );
}

/** Fails unless one server listens, the other was refused, and who connects reaches the one. */
async function assertOneWinner(
  outcomes: unknown[],
  [one, two]: [Remote, Remote],
  path: string,
): Promise<"one" | "two"> {
  const winner = outcomes.indexOf("listening");
  assert(winner !== -1, JSON.stringify(outcomes));
  const loser = String(outcomes[1 - winner]);
  assert(loser.startsWith("AddrInUse: "), JSON.stringify(outcomes));
  const remote = winner === 0 ? one : two;
  const answering = remote.call("answer");
  using conn = await connect({ transport: "unix", path });
  const message = await conn.receiveMessage();
  assertEquals(text(message!.data), String(remote.pid));
  await answering;
  await remote.call("close");
  assertThrows(() => Deno.lstatSync(path), Deno.errors.NotFound);
  return winner === 0 ? "one" : "two";
}
