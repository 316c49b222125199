import { assert, assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";
import type { TcpConnectOptions } from "../../mod.ts";
import { missingMountNamespaces } from "../support/hosts.ts";
import { run } from "../support/process.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";

const reason = await missingMountNamespaces();

const PROGRAM = new URL("./programs/self_dial.ts", import.meta.url).pathname;
const PORT = 40_000;

/** A network that is loopback alone, in which a socket that asks for any port gets this one. */
const SETUP = `ip link set lo up && echo ${PORT} ${PORT} > /proc/sys/net/ipv4/ip_local_port_range && exec "$0" "$@"`;

/** What a dial of that port says, which nobody listens on. */
async function dialled(localAddress?: TcpConnectOptions["localAddress"]): Promise<string> {
  const deno = [Deno.execPath(), "run", "-A", "--no-prompt", PROGRAM, String(PORT)];
  const args = ["--net", "sh", "-c", SETUP, ...deno, JSON.stringify(localAddress ?? null)];
  const { success, stdout, report } = await run("unshare", args);
  assert(success, report);
  return stdout.trim();
}

describe("A dial that the system gives the very port it dials", TIMEOUT, () => {
  itUnless(reason, "is refused, and not connected to itself", async () => {
    assertEquals(await dialled(), "ECONNREFUSED");
    assertEquals(await dialled({ hostname: "127.0.0.1" }), "ECONNREFUSED");
    assertEquals(await dialled({ hostname: "127.0.0.2" }), "ECONNREFUSED");
  });

  itUnless(reason, "is connected to itself where it asked for that port", async () => {
    assertEquals(await dialled({ hostname: "127.0.0.1", port: PORT }), "connected");
  });
});
