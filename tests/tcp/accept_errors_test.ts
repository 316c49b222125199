import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Socket, type SocketError } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { run } from "../support/process.ts";
import { thisSystem } from "../../ffi/libc/host.ts";
import { missingCommands } from "../support/skipping.ts";
import { rejection } from "../support/promises.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";

noDescriptorLeaks();

const PROGRAM = new URL("./programs/accepting.ts", import.meta.url).pathname;

/** Stops the child at the calls that are to fail, and at no other. */
const STRACE = ["-f", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=accept4"];

/** Why the system calls of a child cannot be made to fail, or null. */
const notTraceable = await missingCommands("strace") ??
  ((await run("strace", ["-o", "/dev/null", "true"])).success ? null : "strace may not trace here");

/** What a listener gives whose first accept4(2) fails so. */
async function acceptedAfter(errno: string): Promise<string> {
  const inject = `inject=accept4:error=${errno}:when=1`;
  const deno = [Deno.execPath(), "run", "-A", "--no-prompt", PROGRAM];
  const { success, stdout, report } = await run("strace", [...STRACE, "-e", inject, ...deno]);
  assert(success, report);
  return stdout.trim();
}

describe("accept()", TIMEOUT, () => {
  const PASSED = [
    "ENETDOWN",
    "EPROTO",
    "ENOPROTOOPT",
    "EHOSTDOWN",
    "ENONET",
    "EHOSTUNREACH",
    "EOPNOTSUPP",
    "ENETUNREACH",
    "ECONNABORTED",
  ].filter((name) => Object.hasOwn(thisSystem().errors, name));
  itUnless(
    notTraceable,
    `passes over ${PASSED.join(", ")}, which are of the connection that was to be accepted`,
    async () => {
      for (const errno of PASSED) assertEquals(await acceptedAfter(errno), "accepted", errno);
    },
  );

  itUnless(notTraceable, "reports EPERM, EMFILE and ENOBUFS", async () => {
    for (const errno of ["EPERM", "EMFILE", "ENOBUFS"]) assertEquals(await acceptedAfter(errno), errno);
  });

  it("on a socket that cannot listen reports EOPNOTSUPP, once", async () => {
    using socket = Socket.open("inet", "dgram");
    assertEquals((await rejection(socket.accept()) as SocketError).code, "EOPNOTSUPP");
  });
});
