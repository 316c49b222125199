import { assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { missingNamespaces, NamespacePair } from "../support/namespaces.ts";
import { itUnless } from "../support/skipping.ts";
import { VECTORED } from "./datagrams.ts";

const PROGRAM = new URL("programs/send_hints.ts", import.meta.url).pathname;
const BROADCAST = "a broadcast address needs broadcast: true";
const SOURCE = "source must be a local address";

const reason = await missingNamespaces();

/** Sends in a network namespace with a prohibited route, to each host, and returns the messages. */
async function messages(...cases: readonly unknown[]): Promise<string[]> {
  await using pair = await NamespacePair.create();
  const added = await pair.left.run("ip", ["route", "add", "prohibit", "198.51.100.0/24"]);
  assertEquals(added.code, 0, added.report);
  const args = ["run", "-A", "--no-prompt", PROGRAM, JSON.stringify(cases)];
  const { code, stdout, report } = await pair.left.run(Deno.execPath(), args);
  assertEquals(code, 0, report);
  return stdout.split("\n");
}

/** The call that sendMany() makes. */
const MANY = VECTORED ? "sendmmsg" : "sendmsg";

describe("A hint of a send that failed", () => {
  itUnless(reason, "names broadcast: true for a broadcast address, and not for a prohibited route", async () => {
    const failed = (call: string, host: string) => `${call} ${host}:9: permission denied (EACCES)`;
    assertEquals(
      await messages(
        ["127.255.255.255", { broadcast: false }, {}],
        ["198.51.100.1", { broadcast: false }, {}],
        ["198.51.100.1", { broadcast: true }, {}],
        ["127.255.255.255", { broadcast: true }, {}],
      ),
      [
        `${failed("sendmsg", "127.255.255.255")}; ${BROADCAST}`,
        `${failed(MANY, "127.255.255.255")}; ${BROADCAST}`,
        failed("sendmsg", "198.51.100.1"),
        failed(MANY, "198.51.100.1"),
        failed("sendmsg", "198.51.100.1"),
        failed(MANY, "198.51.100.1"),
        "sent",
        "sent",
      ],
    );
  });

  itUnless(reason, "names the source if it is not a local address, and not for a host without a route", async () => {
    const [remote, , local] = await messages(
      ["192.0.2.2", {}, { source: "192.0.2.77" }],
      ["203.0.113.1", {}, { source: "192.0.2.1" }],
    );
    assertEquals(remote?.split("; ")[1], SOURCE);
    assertEquals(local, "sendmsg 203.0.113.1:9: network is unreachable (ENETUNREACH)");
  });
});
