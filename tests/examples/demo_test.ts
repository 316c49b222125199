import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { missingNamespaces, NamespacePair } from "../support/namespaces.ts";
import { type Finished, run, type StartOptions } from "../support/process.ts";
import { ROOT } from "../support/repository.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import { printedCommands } from "./support.ts";

noDescriptorLeaks();

const LIMIT_MS = 10_000;
const noNamespaces = await missingNamespaces();
const noPython = await missingCommands("python3");

function demo(): Promise<Finished> {
  return run(Deno.execPath(), ["task", "demo"], { cwd: ROOT });
}

/** Runs the demo on a terminal of its own, and gives what it wrote there. */
async function demoOnTerminal(env: Record<string, string>): Promise<string> {
  const script = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)";
  const { PATH = "", HOME = "", DENO_DIR } = Deno.env.toObject();
  const options: StartOptions = { cwd: ROOT, clearEnv: true, env: { PATH, HOME, ...env } };
  if (DENO_DIR !== undefined) options.env!.DENO_DIR = DENO_DIR;
  // `run` sets NO_COLOR for its child; env unsets it there.
  const unset = env.NO_COLOR === undefined ? ["-u", "NO_COLOR"] : [];
  const [command] = await printedCommands("demo");
  const finished = await run("env", [...unset, "python3", "-c", script, Deno.execPath(), ...command!], options);
  assert(finished.success, finished.report);
  return finished.stdout;
}

describe("deno task demo", () => {
  it("passes all checks in under ten seconds", async () => {
    const started = performance.now();
    const { success, stdout, report } = await demo();
    assertLess(performance.now() - started, LIMIT_MS);
    assert(success, report);
    for (const member of [1, 2]) {
      assertMatch(stdout, new RegExp(`member ${member} received "test message .*" from 127\\.0\\.0\\.1:12345`));
    }
    assertMatch(stdout, /bind 127\.0\.0\.1:12345: address already in use .*reusePort: true/);
    assertStringIncludes(stdout, "A second run at the same time works too");
    for (const socket of [1, 2, 3, 4]) assertMatch(stdout, new RegExp(`^ *socket ${socket} █+ \\d+$`, "m"));
    assertMatch(stdout, /^All \d+ checks passed/m);
  });

  it("runs twice at the same time", async () => {
    for (const { success, report } of await Promise.all([demo(), demo()])) assert(success, report);
  });

  it("runs with exactly the permissions of its header", async () => {
    const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
    const [command] = await printedCommands("demo");
    assertEquals(tasks.demo.command, ["deno", ...command!].join(" "));
  });

  itUnless(noPython, "is coloured on a terminal, but not with NO_COLOR", async () => {
    assertStringIncludes(await demoOnTerminal({}), "\x1b[32m✓");
    const plain = await demoOnTerminal({ NO_COLOR: "1" });
    assertStringIncludes(plain, "✓");
    assert(!plain.includes("\x1b["), JSON.stringify(plain));
  });

  itUnless(noNamespaces, "exits with 1 if a check fails", async () => {
    await using pair = await NamespacePair.create();
    const holder = `
      Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 12345 });
      console.log("held");
      setInterval(() => {}, 1000);`;
    await using child = pair.left.start(Deno.execPath(), ["eval", "--unstable-net", holder]);
    await child.waitForLine(/^held$/);
    const { code, stdout, report } = await pair.left.run(Deno.execPath(), ["task", "demo"], { cwd: ROOT });
    assertEquals(code, 1, report);
    assertMatch(stdout, /✗ .*\n.*address already in use/);
    assertMatch(stdout, /^1 of \d+ checks failed/m);
  });
});
