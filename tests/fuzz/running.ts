/**
 * Runs the program that knocks at doors, in a network of its own: odd names and addresses lead nowhere.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { run } from "../support/process.ts";

const PROGRAM = new URL("./programs/knock.ts", import.meta.url).pathname;

/** Loopback, and a way for groups to be joined on it. */
const SETUP = "ip link set lo up && ip route add 239.0.0.0/8 dev lo";

async function networkOfItsOwn(): Promise<string | null> {
  try {
    const { success, stderr } = await run("unshare", ["--net", "--map-root-user", "sh", "-c", SETUP]);
    return success ? null : `no network namespace: ${stderr.trim()}`;
  } catch (error) {
    return `no network namespace: ${(error as Error).message}`;
  }
}

/** Why doors cannot be tried without touching a network, or null. */
export const noNetworkOfItsOwn: string | null = await networkOfItsOwn();

/** Tries a share of all combinations, and fails for anything that was found. Returns how many calls there were. */
export async function knock(
  seed: number,
  share: number,
  pairs = false,
): Promise<{ doors: number; values: number; calls: number }> {
  const cwd = await Deno.makeTempDir();
  try {
    const command = `${SETUP} && exec "$0" "$@"`;
    const deno = [
      Deno.execPath(),
      "run",
      "-A",
      "--no-check",
      PROGRAM,
      String(seed),
      String(share),
      pairs ? "pairs" : "",
    ];
    const { success, stdout, report } = await run(
      "unshare",
      ["--net", "--map-root-user", "sh", "-c", command, ...deno],
      {
        cwd,
      },
    );
    assertEquals(success, true, report);
    const { findings, ...counts } = JSON.parse(stdout);
    assertEquals(findings, [], report);
    return counts;
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}
