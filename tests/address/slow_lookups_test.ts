import { assert, assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { listenDatagram, type UdpSocket } from "../../mod.ts";
import { run, start } from "../support/process.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";

const PROGRAM = new URL("./programs/slow_lookups.ts", import.meta.url).pathname;
const SERVER = "127.0.0.99";

/** As many lookups run at a time. */
const AT_A_TIME = 4;

/** Why there can be no name server of the test's own, or null. */
async function withoutServer(): Promise<string | null> {
  const missing = await missingCommands("unshare", "mount");
  if (missing !== null) return missing;
  const { success, stderr } = await run("unshare", ["--mount", "true"]);
  if (!success) return `no mount namespace: ${stderr.trim()}`;
  try {
    listenDatagram({ transport: "udp", hostname: SERVER, port: 53 }).close();
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The name that a question of DNS is about: labels, each after its length, from the 13th byte on. */
function nameOf(question: Uint8Array): string {
  const labels: string[] = [];
  for (let at = 12; question[at]! > 0; at += question[at]! + 1) {
    labels.push(new TextDecoder().decode(question.subarray(at + 1, at + 1 + question[at]!)));
  }
  return labels.join(".");
}

/** Notes the names that are asked about, and answers nothing. */
async function note(server: UdpSocket, names: string[]): Promise<void> {
  for await (const [question] of server) names.push(nameOf(question));
}

const NO_SERVER = await withoutServer();

describe("Names that nobody answers for", TIMEOUT, () => {
  itUnless(NO_SERVER, "take a few threads alone, and equal ones one", async () => {
    const folder = await Deno.makeTempDir();
    using server = listenDatagram({ transport: "udp", hostname: SERVER, port: 53 });
    const names: string[] = [];
    const noting = note(server, names);
    try {
      await Deno.writeTextFile(`${folder}/resolv.conf`, `nameserver ${SERVER}\noptions timeout:2 attempts:1\n`);
      await Deno.writeTextFile(`${folder}/nsswitch.conf`, "hosts: files dns\n");
      const script = `touch /etc/nsswitch.conf && mount --bind "$1/nsswitch.conf" /etc/nsswitch.conf &&
        mount --bind "$1/resolv.conf" "$(readlink -f /etc/resolv.conf)" && exec "$2" run --no-prompt -A "$3"`;
      await using child = start("unshare", ["--mount", "sh", "-c", script, "sh", folder, Deno.execPath(), PROGRAM]);
      assertEquals(await child.stdout.next(), JSON.stringify({ first: true }));
      const asked = new Set(names);
      assert(asked.size > 0 && asked.size <= AT_A_TIME, [...asked].join(" "));
      const { success, report } = await child.finished();
      assert(success, report);
    } finally {
      server.close();
      await noting;
      await Deno.remove(folder, { recursive: true });
    }
  });
});
