import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { fromFd, Socket } from "../../mod.ts";
import { bytes } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { at, LOOPBACK } from "../support/loopback.ts";
import { run } from "../support/process.ts";
import { itUnless } from "../support/skipping.ts";
import { refusal, refuses } from "./refusing.ts";
import { linuxTable } from "../support/systems.ts";

noDescriptorLeaks();

refuses("A descriptor", [
  [-1, TypeError, "-1"],
  [1.5, TypeError, "1.5"],
  [NaN, TypeError, "NaN"],
  ["3", TypeError, '"3"'],
  [undefined, TypeError, "undefined"],
  [2 ** 31, TypeError, String(2 ** 31)],
  [1_000_000, Deno.errors.BadResource, "1000000"],
], (fd) => fromFd(fd));

let folder = "";
beforeAll(async () => {
  folder = await Deno.makeTempDir();
});
afterAll(() => Deno.remove(folder, { recursive: true }));

describe("fromFd() of a descriptor that is not a socket", () => {
  itUnless(
    Deno.build.os === "linux" ? null : "no /proc here",
    "refuses a pipe and a file, and leaves them open",
    async () => {
      const made = await run("mkfifo", [`${folder}/pipe`]);
      assert(made.success, made.report);
      await Deno.writeTextFile(`${folder}/file`, "x");
      for (const name of ["pipe", "file"]) {
        using held = await Deno.open(`${folder}/${name}`, { read: true, write: true });
        const fd = descriptorOf(`${folder}/${name}`);
        for (const take of [fromFd, Socket.fromFd]) {
          const error = await refusal(() => take(fd));
          assertInstanceOf(error, TypeError);
          assertStringIncludes(error.message, `Descriptor ${fd} is not a socket`);
        }
        await held.write(bytes("still open"));
      }
    },
  );

  it("takes a datagram socket that was bound as a bare one", () => {
    using raw = Socket.open("inet", "dgram");
    const fd = raw.duplicate().detach();
    const bound = Socket.fromFd(fd);
    bound.bind(at(LOOPBACK, 0));
    assertEquals(bound.detach(), fd);
    using udp = fromFd(fd);
    assert("joinMulticast" in udp);
  });

  const noNetlink = linuxTable ? null : "no netlink here";
  itUnless(noNetlink, "refuses a socket of a kind without a class, and leaves it open", async () => {
    // AF_NETLINK, SOCK_RAW.
    using netlink = Socket.open(16, "raw", 0);
    const other = netlink.duplicate().detach();
    const error = await refusal(() => fromFd(other));
    assertInstanceOf(error, TypeError);
    Socket.fromFd(other).close();
  });
});

/** The number under which this process has a path open. */
function descriptorOf(path: string): number {
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      if (Deno.readLinkSync(`/proc/self/fd/${name}`) === path) return Number(name);
    } catch {
      // The descriptor that lists them.
    }
  }
  throw new Error(`${path} is not open`);
}
