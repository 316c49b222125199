import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { libc } from "../../ffi/libc/libc.ts";
import { systemError } from "../../ffi/libc/socket_error.ts";
import { systemFor } from "../../ffi/libc/host.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { failure } from "./support.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { startDeno } from "../support/process.ts";
// Every message that the module can throw, as its caller reads it.
import "./arguments.ts";
import "./system.ts";
import "./datagrams.ts";
import "./groups.ts";
import "./sockets.ts";
import "./paths.ts";
import "./descriptors.ts";
import "./options.ts";

noDescriptorLeaks();

/** Failures that a test cannot cause, by errno. */
const UNTRIGGERED: readonly (readonly [code: string, syscall: string, address: string | undefined, words: string])[] = [
  ["EMFILE", "socket", undefined, "socket: too many open files (EMFILE); the limit is RLIMIT_NOFILE (ulimit -n)"],
  [
    "ETOOMANYREFS",
    "sendmsg",
    undefined,
    "sendmsg: too many references: cannot splice (ETOOMANYREFS); too many passed descriptors have not been received yet",
  ],
  [
    "EACCES",
    "bind",
    "127.0.0.1:80",
    "bind 127.0.0.1:80: permission denied (EACCES); ports below 1024 need root or CAP_NET_BIND_SERVICE",
  ],
  [
    "EPERM",
    "setsockopt",
    "SO_MARK",
    "setsockopt SO_MARK: operation not permitted (EPERM); this option needs root or CAP_NET_ADMIN",
  ],
  ["EPERM", "socket", undefined, "socket: operation not permitted (EPERM)"],
  ["EPERM", "setsockopt", "SO_LOCK_FILTER", "setsockopt SO_LOCK_FILTER: operation not permitted (EPERM)"],
  ["EACCES", "bind", "127.0.0.1:8080", "bind 127.0.0.1:8080: permission denied (EACCES)"],
  ["EADDRINUSE", "bind", "127.0.0.1:0", "bind 127.0.0.1:0: address already in use (EADDRINUSE); no local port is free"],
  [
    "EADDRNOTAVAIL",
    "connect",
    "127.0.0.1:80",
    "connect 127.0.0.1:80: cannot assign requested address (EADDRNOTAVAIL); " +
    "no local address or no free local port for this destination",
  ],
  [
    "EADDRINUSE",
    "connect",
    "127.0.0.1:80",
    "connect 127.0.0.1:80: address already in use (EADDRINUSE); " +
    "a connection with the same addresses and ports exists or is in TIME_WAIT",
  ],
];

describe("The message of a failure that a test cannot cause", () => {
  for (const [code, syscall, address, words] of UNTRIGGERED) {
    it(words, () => assertEquals(systemError(libc().system.errors[code]!, syscall, address).message, words));
  }

  it("names the supported systems on an unsupported one", async () => {
    const { constructor, message } = await failure(() => systemFor("windows", "x86_64"));
    assertEquals(constructor, Deno.errors.NotSupported);
    assertEquals(message, "Berkeley runs on Linux, macOS and FreeBSD, on x86_64 and aarch64; this is windows x86_64");
  });
});

/** Prints the messages of Deno and of this module for the same missing permissions. */
const DENIED = `
  import { connect, listen, listenDatagram, resolveAddress, Socket } from ${
  JSON.stringify(new URL("../../mod.ts", import.meta.url).href)
};
  const words = async (call) => {
    try {
      await call();
      return "nothing was thrown";
    } catch (error) {
      return error.constructor.name + ": " + error.message;
    }
  };
  const v6 = { hostname: "::1", port: 53 };
  const unix = { transport: "unix", path: "/tmp/nosuch/berkeley.sock" };
  const steps = [
    [() => Deno.listen({ port: 80 }), () => listen({ port: 80 })],
    [() => Deno.listen(v6), () => listen(v6)],
    [() => Deno.listen(unix), () => listen(unix)],
    [() => Deno.connect({ port: 80 }), () => connect({ port: 80 })],
    [() => Deno.connect(unix), () => connect(unix)],
    [() => Deno.connect({ hostname: "example.com", port: 80 }), () => resolveAddress("tcp", "example.com:80")],
    [
      () => Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 53 }),
      () => listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 53 }),
    ],
  ];
  for (const [theirs, ours] of steps) console.log(JSON.stringify([await words(theirs), await words(ours)]));
  console.log(JSON.stringify([
    'NotCapable: Requires net access to "sockets of domain inet and type raw", run again with the --allow-net flag',
    await words(() => Socket.open("inet", "raw", 1)),
  ]));`;

describe("The message of a missing permission", TIMEOUT, () => {
  for (const flags of [[], ["--allow-read"], ["--allow-read", "--allow-write"]]) {
    it(`is Deno's own, with ${flags.join(" ") || "none"}`, async () => {
      await using child = startDeno("-", { stdin: true, flags: ["--allow-ffi", "--unstable-net", ...flags] });
      await child.write(DENIED);
      await child.closeInput();
      const { stdout, success, report } = await child.finished();
      assert(success, report);
      const pairs = stdout.split("\n").map((line) => JSON.parse(line) as [string, string]);
      assertEquals(pairs.length, 8);
      for (const [theirs, ours] of pairs) {
        assertEquals(ours, theirs);
        assertMatch(ours, /^NotCapable: Requires (net|read|write) access to ".+", run again with the --allow-\1 flag$/);
      }
    });
  }

  it("is Deno's own without --allow-ffi", async () => {
    await using child = startDeno("-", { stdin: true, flags: ["--allow-net"] });
    await child.write(DENIED);
    await child.closeInput();
    const { stdout, report } = await child.finished();
    const [, ours] = JSON.parse(stdout.split("\n")[0]!) as [string, string];
    assertMatch(ours, /^NotCapable: Requires ffi access to ".+", run again with the --allow-ffi flag$/, report);
  });
});

const ACTIVATED = `
  import { activatedSockets } from ${JSON.stringify(new URL("../../mod.ts", import.meta.url).href)};
  try {
    activatedSockets();
  } catch (error) {
    console.log(error.constructor.name + ": " + error.message);
  }`;

describe("The message of an invalid LISTEN_ variable", TIMEOUT, () => {
  const rows: readonly (readonly [env: Record<string, string>, words: string])[] = [
    [{ LISTEN_PID: "me" }, 'TypeError: Invalid LISTEN_PID: "me", expected a whole number'],
    [{ LISTEN_FDS: "one" }, 'TypeError: Invalid LISTEN_FDS: "one", expected a whole number'],
    [{ LISTEN_FDS: "1", LISTEN_FDNAMES: "a:b" }, 'TypeError: LISTEN_FDNAMES "a:b" has 2 names for 1 descriptors'],
  ];
  for (const [env, words] of rows) {
    it(words, async () => {
      await using child = startDeno("-", { stdin: true, env });
      const own = env.LISTEN_PID === undefined ? `Deno.env.set("LISTEN_PID", String(Deno.pid));` : "";
      await child.write(own + ACTIVATED);
      await child.closeInput();
      const { stdout, report } = await child.finished();
      assertEquals(stdout, words, report);
    });
  }
});
