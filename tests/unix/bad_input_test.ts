import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  connect,
  fromFd,
  isSocketError,
  listen,
  listenDatagram,
  resolveAddress,
  Socket,
  socketPair,
  type UnixListenOptions,
} from "../../mod.ts";
import { descriptorCount, noDescriptorLeaks } from "../support/descriptors.ts";
import { rejection } from "../support/promises.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { Remote } from "./remote.ts";
import {
  descriptorsOf,
  Directory,
  LONGEST_PATH,
  noAbstractNames,
  NOBODY,
  noSeqpacket,
  notRoot,
  TRANSPORTS,
} from "./support.ts";

noDescriptorLeaks();

type Options = Omit<UnixListenOptions, "transport">;

/** Everything that takes a path, by its name; each gives what it failed with. */
const OPENERS: Record<string, (options: Options) => Promise<unknown>> = {
  'listen "unix"': (options) => rejection(Promise.try(() => listen({ transport: "unix", ...options }))),
  'listen "seqpacket"': (options) => rejection(Promise.try(() => listen({ transport: "seqpacket", ...options }))),
  "listenDatagram": (options) => rejection(Promise.try(() => listenDatagram({ transport: "unixgram", ...options }))),
  'connect "unix"': ({ path }) => rejection(connect({ transport: "unix", path })),
  'connect "seqpacket"': ({ path }) => rejection(connect({ transport: "seqpacket", path })),
};

/** Those that get as far as a system call. */
const LISTENERS = Object.entries(OPENERS).filter(([name]) => {
  return name.startsWith("listen") && (noSeqpacket === null || !name.includes("seqpacket"));
});

/** The message of an error, which is of the class named. */
function messageOf(error: unknown, name: string): string {
  assert(error instanceof Error);
  assertEquals(error.name, name, error.message);
  return error.message;
}

for (const [name, open] of Object.entries(OPENERS)) {
  describe(`${name} refuses`, TIMEOUT, () => {
    it("a path that is too long, and names the maximum", async () => {
      using directory = new Directory();
      const open_before = descriptorCount();
      for (const length of [LONGEST_PATH + 1, 200, 5000]) {
        const path = directory.fileOfLength(length);
        const message = messageOf(await open({ path, replaceStale: true }), "TypeError");
        assertStringIncludes(message, `Path "${path.slice(0, 100)}`);
        assertStringIncludes(message, `has ${length} bytes, expected at most ${LONGEST_PATH} for a Unix socket path`);
      }
      assertEquals([directory.names, descriptorCount()], [[], open_before]);
    });

    it("a path with a NUL inside", async () => {
      using directory = new Directory();
      for (const path of [directory.file("a\0b"), directory.file("a\0")]) {
        assertEquals(
          messageOf(await open({ path, replaceStale: true }), "TypeError"),
          `Path ${JSON.stringify(path)} contains a NUL, which would end a Unix socket path`,
        );
      }
      assertEquals(directory.names, []);
    });

    it("a path that is not a well-formed string", async () => {
      const wrong: unknown[] = name === "listenDatagram" ? [null, 7, {}] : ["", null, undefined, 7, {}];
      for (const path of wrong) {
        const message = messageOf(await open({ path: path as string }), "TypeError");
        assertStringIncludes(message, `Invalid path: ${JSON.stringify(path)}, expected the path of a Unix socket`);
      }
      assertStringIncludes(messageOf(await open({ path: "/tmp/\ud800" }), "TypeError"), "not well-formed Unicode");
    });

    it("bad input before control is called", async () => {
      const control = () => {
        throw new Error("control was called");
      };
      messageOf(await open({ path: "a\0b", control }), "TypeError");
    });
  });
}

describe("Listening fails", TIMEOUT, () => {
  for (const [name, open] of LISTENERS) {
    for (const replaceStale of [false, true]) {
      it(`at a directory, with ${name} and replaceStale: ${replaceStale}`, async () => {
        using directory = new Directory();
        Deno.mkdirSync(directory.file("directory"));
        const error = await open({ path: directory.file("directory"), replaceStale });
        const message = messageOf(error, "AddrInUse");
        assertStringIncludes(message, `bind ${directory.file("directory")}: address already in use (EADDRINUSE)`);
        assertStringIncludes(message, "it is left as it is");
        assert(isSocketError(error));
        assertEquals([error.code, error.syscall, error.address], ["EADDRINUSE", "bind", directory.file("directory")]);
        assertEquals(directory.names, ["directory"]);
      });

      it(`if the parent does not exist, with ${name} and replaceStale: ${replaceStale}`, async () => {
        using directory = new Directory();
        const message = messageOf(await open({ path: directory.file("no/socket"), replaceStale }), "NotFound");
        assertStringIncludes(message, directory.file("no"));
        assertStringIncludes(message, "no such file or directory (ENOENT)");
        assertEquals(directory.names, []);
      });

      it(`if the parent is a file, with ${name} and replaceStale: ${replaceStale}`, async () => {
        using directory = new Directory();
        Deno.writeTextFileSync(directory.file("file"), "");
        const error = await open({ path: directory.file("file/socket"), replaceStale });
        assertStringIncludes(messageOf(error, "NotADirectory"), "not a directory (ENOTDIR)");
      });
    }
  }

  itUnless(notRoot, "without permission, and makes no file", async () => {
    using directory = new Directory();
    await using nobody = await Remote.start(NOBODY);
    for (const mode of [0o755, 0o700]) {
      Deno.chmodSync(directory.path, mode);
      for (const replaceStale of [false, true]) {
        const path = directory.file();
        const outcomes = [
          ...await Promise.all(TRANSPORTS.map((transport) => {
            return nobody.outcome("listen", { transport, path, replaceStale });
          })),
          await nobody.outcome("listenDatagram", { transport: "unixgram", path, replaceStale }),
        ];
        for (const outcome of outcomes) {
          assertStringIncludes(String(outcome), "PermissionDenied: ");
          assertStringIncludes(String(outcome), `${directory.path}`);
          assertStringIncludes(String(outcome), "permission denied (EACCES)");
        }
      }
    }
    assertEquals(directory.names, []);
  });
});

describe("Connecting fails", TIMEOUT, () => {
  itUnless(notRoot, "without permission for the file or the directory", async () => {
    using directory = new Directory();
    const path = directory.file();
    using _listener = listen({ transport: "unix", path, mode: 0o700 });
    await using nobody = await Remote.start(NOBODY);
    for (const mode of [0o755, 0o700]) {
      Deno.chmodSync(directory.path, mode);
      const outcome = String(await nobody.outcome("connect", "unix", path));
      assertStringIncludes(outcome, `PermissionDenied: connect ${path}: permission denied (EACCES)`);
    }
  });
});

describe("A descriptor", TIMEOUT, () => {
  it("that is closed is BadResource", () => {
    const [one, two] = socketPair("stream");
    two.close();
    const fd = one.detach();
    fromFd(fd).close();
    for (const take of [fromFd, Socket.fromFd]) {
      const error = assertThrows(() => take(fd), Deno.errors.BadResource);
      assertEquals(error.message, `getsockopt descriptor ${fd}: bad file descriptor (EBADF)`);
    }
  });

  it("that is not a socket is a TypeError, and stays open", () => {
    const path = Deno.makeTempFileSync();
    using file = Deno.openSync(path, { write: true });
    const fd = descriptorsOf(path)[0]!;
    for (const take of [fromFd, Socket.fromFd]) {
      const error = assertThrows(() => take(fd), TypeError);
      assertEquals(error.message, `Descriptor ${fd} is not a socket`);
    }
    file.writeSync(new Uint8Array(1));
    Deno.removeSync(path);
  });

  it("that is not a non-negative number is a TypeError that quotes it", () => {
    for (const fd of [-1, 1.5, NaN, 2 ** 31, "3", null, undefined]) {
      for (const take of [fromFd, Socket.fromFd]) {
        const error = assertThrows(() => take(fd as number), TypeError);
        assertEquals(
          error.message,
          `Invalid descriptor: ${typeof fd === "string" ? `"${fd}"` : fd}, expected a number from 0 up or an OwnedFd`,
        );
      }
    }
  });
});

describe("An address in text", TIMEOUT, () => {
  it("of a Unix socket is a path, or a name after an @ or a NUL", async () => {
    assertEquals(await resolveAddress("unix", "/run/x"), { transport: "unix", path: "/run/x" });
    if (noAbstractNames === null) {
      assertEquals(await resolveAddress("unixgram", "@name"), { transport: "unixpacket", path: "\0name" });
      assertEquals(await resolveAddress("seqpacket", "\0name"), { transport: "seqpacket", path: "\0name" });
    } else {
      await assertRejects(() => resolveAddress("unixgram", "@name"), Deno.errors.NotSupported, "is an abstract name");
    }
    await assertRejects(() => resolveAddress("unix", "x".repeat(200)), TypeError, "has 200 bytes");
    await assertRejects(() => resolveAddress("unix", "a\0b"), TypeError, "NUL");
  });
});
