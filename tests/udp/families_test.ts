import { assert, assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { missingMountNamespaces, runWithFiles } from "../support/hosts.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";

const PROGRAM = new URL("./programs/send_by_name.ts", import.meta.url).pathname;
const HOSTS = { "/etc/hosts": "127.0.0.1 both.test four.test\n::1 both.test six.test\n2001:db8::6 far.test\n" };

const reason = await missingMountNamespaces();

describe("A name with addresses of both families", TIMEOUT, () => {
  itUnless(reason, "is sent to at the first that the socket can send to", async () => {
    const rows: readonly (readonly [options: Record<string, unknown>, name: string, outcome: string])[] = [
      [{ hostname: "::1" }, "both.test", "::1"],
      [{ hostname: "::", ipv6Only: true }, "both.test", "::1"],
      [{ hostname: "127.0.0.1" }, "both.test", "127.0.0.1"],
      [{ hostname: "::ffff:127.0.0.1" }, "both.test", "127.0.0.1"],
      [{ hostname: "::" }, "four.test", "127.0.0.1"],
      [{ hostname: "::" }, "six.test", "::1"],
      [{ listens: "tcp", ipv6Only: true }, "both.test", "::1"],
      [{ listens: "udp", ipv6Only: true }, "both.test", "::1"],
      [
        { hostname: "::1" },
        "four.test",
        'NotFound: getaddrinfo "four.test": it has no IPv6 address, and the socket is bound to ::1 (EAI_ADDRFAMILY)',
      ],
      [
        { hostname: "::", ipv6Only: true },
        "four.test",
        'NotFound: getaddrinfo "four.test": it has no IPv6 address, and the socket is for IPv6 only (IPV6_V6ONLY) ' +
        "(EAI_ADDRFAMILY)",
      ],
      [
        { hostname: "0.0.0.0" },
        "far.test",
        'NotFound: getaddrinfo "far.test": it has no IPv4 address, and this is an IPv4 socket (EAI_ADDRFAMILY)',
      ],
    ];
    const cases = JSON.stringify(rows.map(([options, name]) => [options, name]));
    const { success, stdout, report } = await runWithFiles(HOSTS, PROGRAM, [cases]);
    assert(success, report);
    assertEquals(JSON.parse(stdout), rows.map(([, , outcome]) => outcome));
  });
});
