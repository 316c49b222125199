import { assert, assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { missingMountNamespaces, runWithFiles } from "../support/hosts.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";

const PROGRAM = new URL("./programs/slow_name.ts", import.meta.url).pathname;

/** One name server, asked once, that has all the time a resolver gives. */
const SLOW = { "/etc/resolv.conf": "nameserver 127.0.0.1\noptions timeout:30 attempts:1\n" };

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
    assertEquals(outcomes, expected);
    assertEquals(answered, "3 bytes from port true");
  });
});
