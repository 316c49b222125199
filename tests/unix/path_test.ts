import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { connect, fromFd, listen, listenDatagram, type UnixListenOptions } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { Remote } from "./remote.ts";
import { abstractName, Directory, exists, LONGEST_PATH, noAbstractNames, NOBODY, notShared } from "./support.ts";
import { noSeqpacket } from "../support/systems.ts";

noDescriptorLeaks();

/** Everything that can be bound to a path, by its name. */
const ALL_KINDS = {
  "a stream listener": (options: Omit<UnixListenOptions, "transport">) => listen({ transport: "unix", ...options }),
  "a seqpacket listener": (options: Omit<UnixListenOptions, "transport">) =>
    listen({ transport: "seqpacket", ...options }),
  "a datagram socket": (options: Omit<UnixListenOptions, "transport">) =>
    listenDatagram({ transport: "unixgram", ...options }),
};

const { "a seqpacket listener": _, ...OTHER_KINDS } = ALL_KINDS;
const KINDS: Partial<typeof ALL_KINDS> & typeof OTHER_KINDS = noSeqpacket === null ? ALL_KINDS : OTHER_KINDS;

const cwd = Deno.cwd();
afterEach(() => Deno.chdir(cwd));

describe("A path", TIMEOUT, () => {
  it("can fill sun_path except for the last byte", async () => {
    using directory = new Directory();
    const path = directory.fileOfLength(LONGEST_PATH);
    using listener = listen({ transport: "unix", path });
    using conn = await connect({ transport: "unix", path });
    using other = await listener.accept();
    assertEquals([listener.addr.path, conn.remoteAddr.path, other.localAddr.path], [path, path, path]);
    listener.close();
    assertEquals(directory.names, []);
  });

  it("cannot be a byte longer, counted in UTF-8", () => {
    using directory = new Directory();
    const long = directory.fileOfLength(LONGEST_PATH + 1);
    const wide = `${directory.fileOfLength(LONGEST_PATH - 1)}é`;
    for (const path of [long, wide]) {
      for (const open of Object.values(KINDS)) {
        const error = assertThrows(() => open({ path }), TypeError);
        assertEquals(
          error.message,
          `Path "${path}" has ${LONGEST_PATH + 1} bytes, expected at most ${LONGEST_PATH} for a Unix socket path`,
        );
      }
    }
    assertEquals(directory.names, []);
  });

  it("can have any characters", async () => {
    using directory = new Directory();
    for (const name of ["with space", "é 😀", "\ufeffmark", "new\nline", "@at", "a:b,c"]) {
      const path = directory.file(name);
      using listener = listen({ transport: "unix", path });
      using conn = await connect({ transport: "unix", path });
      assertEquals([listener.addr.path, conn.remoteAddr.path, directory.names], [path, path, [name]]);
    }
    assertEquals(directory.names, []);
  });

  it("is null if a socket has none", async () => {
    using directory = new Directory();
    const path = directory.file();
    using listener = listen({ transport: "unix", path });
    using conn = await connect({ transport: "unix", path });
    await conn.write(new Uint8Array(1));
    using other = await listener.accept();
    assertEquals(conn.localAddr, { transport: "unix", path: null as unknown as string });
    assertEquals(other.remoteAddr, conn.localAddr);
  });
});

describe("An abstract name", TIMEOUT, () => {
  itUnless(noAbstractNames, "has its exact length, and can contain NULs", async () => {
    const name = abstractName();
    using open = new DisposableStack();
    for (const path of [name, `${name}\0`, `${name}\0\0`, `${name}x`, `${name}\0x`]) {
      const listener = open.use(listen({ transport: "unix", path }));
      const conn = open.use(await connect({ transport: "unix", path }));
      const other = open.use(await listener.accept());
      assertEquals([listener.addr.path, conn.remoteAddr.path, other.localAddr.path], [path, path, path]);
      assertThrows(() => listen({ transport: "unix", path }), Deno.errors.AddrInUse, "another socket has the name");
    }
  });

  itUnless(noAbstractNames, "can fill sun_path, and cannot be a byte longer", async () => {
    const start = abstractName();
    const path = start + "n".repeat(108 - start.length);
    using _listener = listen({ transport: "unix", path });
    using conn = await connect({ transport: "unix", path });
    assertEquals(conn.remoteAddr.path, path);
    assertThrows(() => listen({ transport: "unix", path: `${path}n` }), TypeError, "has 109 bytes");
  });

  itUnless(noAbstractNames, "is free as soon as its owner is closed", () => {
    const path = abstractName();
    for (let round = 0; round < 3; round++) listen({ transport: "unix", path }).close();
  });
});

for (const [kind, open] of Object.entries(KINDS)) {
  describe(`The file of ${kind}`, TIMEOUT, () => {
    it("is removed when it is closed", () => {
      using directory = new Directory();
      const socket = open({ path: directory.file() });
      assert(Deno.lstatSync(directory.file()).isSocket);
      socket.close();
      assertEquals(directory.names, []);
    });

    it("stays with unlinkOnClose: false, and when the descriptor is detached", () => {
      using directory = new Directory();
      open({ path: directory.file("kept"), unlinkOnClose: false }).close();
      const fd = open({ path: directory.file("given") }).detach();
      assertEquals(directory.names, ["given", "kept"]);
      fromFd(fd).close();
      assertEquals(directory.names, ["given", "kept"]);
    });

    it("is not confused with another file created at the path since", () => {
      const others: Record<string, (path: string) => void> = {
        "another socket": (path) => void open({ path, unlinkOnClose: false }).close(),
        "a regular file": (path) => Deno.writeTextFileSync(path, "precious"),
        "a directory": (path) => Deno.mkdirSync(path),
        "a symbolic link": (path) => Deno.symlinkSync("elsewhere", path),
      };
      for (const [name, put] of Object.entries(others)) {
        using directory = new Directory();
        const path = directory.file();
        const socket = open({ path });
        Deno.removeSync(path);
        put(path);
        const before = Deno.lstatSync(path).ino;
        socket.close();
        assertEquals(Deno.lstatSync(path).ino, before, name);
      }
    });

    it("is not removed at another path after a move", () => {
      using directory = new Directory();
      const socket = open({ path: directory.file("before") });
      Deno.renameSync(directory.file("before"), directory.file("after"));
      socket.close();
      assertEquals(directory.names, ["after"]);
    });

    it("is found by a relative path after a change of directory", () => {
      using directory = new Directory();
      using elsewhere = new Directory();
      Deno.chdir(directory.path);
      const socket = open({ path: "relative" });
      assertEquals(socket.addr, { ...socket.addr, path: "relative" });
      Deno.chdir(elsewhere.path);
      Deno.writeTextFileSync("relative", "another file");
      socket.close();
      assertEquals([directory.names, elsewhere.names], [[], ["relative"]]);
    });

    it("is not created, or removed, if opening fails", () => {
      using directory = new Directory();
      const control = () => {
        throw new Error("no");
      };
      assertThrows(() => open({ path: directory.file(), control }), Error, "no");
      assertThrows(() => open({ path: directory.file(), mode: 0o1777 }), TypeError, "Invalid mode: 1023");
      assertThrows(() => open({ path: directory.file(), mode: 1.5 }), TypeError, "Invalid mode: 1.5");
      assertThrows(() => open({ path: directory.file(), backlog: 1.5, mode: -1 }), TypeError);
      assertEquals(directory.names, []);
    });

    it("can be created again after it was removed", () => {
      using directory = new Directory();
      const path = directory.file();
      using _socket = open({ path });
      for (const again of Object.values(KINDS)) {
        const error = assertThrows(() => again({ path }), Deno.errors.AddrInUse, "replaceStale: true");
        assertEquals((error as { address?: string }).address, path);
      }
      assert(exists(path));
    });
  });
}

describe("A path that can no longer be removed", TIMEOUT, () => {
  itUnless(notShared, "stays, and its socket is closed", async () => {
    using directory = new Directory();
    Deno.chmodSync(directory.path, 0o777);
    await using nobody = await Remote.start(NOBODY);
    await nobody.call("listen", { transport: "unix", path: directory.file(), mode: 0o777 });
    (await connect({ transport: "unix", path: directory.file() })).close();
    Deno.chmodSync(directory.path, 0o755);
    assertEquals(await nobody.outcome("close"), null);
    await assertRejects(() => connect({ transport: "unix", path: directory.file() }), Deno.errors.ConnectionRefused);
    assertEquals(directory.names, ["socket"]);
  });
});
