import { assert, assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { missingMountNamespaces, runWithFiles } from "../support/hosts.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";

const PROGRAM = new URL("./programs/slow_name.ts", import.meta.url).pathname;

/** One name server, asked once, that has all the time a resolver gives. */
const SLOW = { "/etc/resolv.conf": "nameserver 127.0.0.1\noptions timeout:30 attempts:1\n" };

const EXHAUSTED = new URL("./programs/exhausted_lookup.ts", import.meta.url).pathname;
const HOSTS = { "/etc/hosts": "127.0.0.1 localhost both.test\n" };

const reason = await missingMountNamespaces();

describe("An operation whose name is being looked up", TIMEOUT, () => {
  itUnless(reason, "ends with the signal, the deadline or the socket, and not with the resolver", async () => {
    const { success, stdout, report } = await runWithFiles(SLOW, PROGRAM);
    assert(success, report);
    const { "send, answered": answered, ...outcomes } = JSON.parse(stdout);
    const late = (call: string) => `TimedOut: ${call} slow.test:9: deadline exceeded ETIMEDOUT true slow.test:9`;
    const closed = "Interrupted: The operation was cut off: its socket was closed";
    const expected: Record<string, string> = {};
    for (const [name, sent] of [["send", ""], ["sendMany", " sent 0"], ["sendSegments", ""]] as const) {
      expected[`${name}, aborted`] = "Error: enough";
      expected[`${name}, past a deadline set later`] = `${late("sendmsg")}${sent}`;
      expected[`${name}, past a deadline set before`] = `${late("sendmsg")}${sent}`;
      expected[`${name}, closed`] = `${closed}${sent}`;
    }
    expected["connect, aborted"] = "Error: enough";
    expected["connect, past its deadline"] = late("connect");
    expected["connectAny, aborted"] = "Error: enough";
    expected["resolveAddress, aborted"] = "Error: enough";
    expected["longest timer"] = String(2 ** 31 - 1);
    assertEquals(outcomes, expected);
    assertEquals(answered, "3 bytes from port true");
  });
});

describe("A lookup without a free descriptor", TIMEOUT, () => {
  itUnless(reason, "says so, and nothing of the host", async () => {
    const { success, stdout, report } = await runWithFiles(HOSTS, EXHAUSTED, [], "-n 64");
    assert(success, report);
    const emfile = (name: string) =>
      `getaddrinfo "${name}": too many open files (EMFILE); the limit is RLIMIT_NOFILE (ulimit -n)`;
    assertEquals(stdout.trim().split("\n"), [
      `resolveAddress: ${emfile("both.test")}`,
      `send: ${emfile("both.test")}`,
      `unknown: ${emfile("unknown.test")}`,
      "with room: found",
      `unknown, with room: getaddrinfo "${"x".repeat(64)}.invalid": no such host (EAI_NONAME)`,
    ]);
  });
});
