import { assert, assertEquals, assertGreater, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { type Child, run } from "../support/process.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import { printedCommands, runExample, startExample } from "./support.ts";

noDescriptorLeaks();

const noCurl = await missingCommands("curl");

async function serve(...args: string[]): Promise<{ server: Child; url: string }> {
  const server = await startExample("http_reuse_port", { args: ["--serve", ...args] });
  const [, url] = await server.waitForLine(/^\d+ Workers? serves? (http:\/\/127\.0\.0\.1:\d+\/)$/);
  await server.waitForLine(/^Ctrl-C stops$/);
  return { server, url: url! };
}

/** What the bars say: how many requests each Worker answered. */
function spread(stdout: string): number[] {
  const bars = Array.from(stdout.matchAll(/^worker (\d+) █* ?(\d+)$/gm), ([, worker, count]) => [worker, count]);
  assertEquals(bars.map(([worker]) => worker), bars.map((_, index) => String(index + 1)));
  return bars.map(([, count]) => Number(count));
}

/** Asks as often as a pattern of curl's says, and gives the answers. */
async function curl(...args: string[]): Promise<string[]> {
  const { success, stdout, report } = await run("curl", ["-sS", "--noproxy", "*", "--max-time", "30", ...args]);
  assert(success, report);
  return stdout.split("\n").filter((line) => line !== "");
}

describe("examples/http_reuse_port.ts", () => {
  it("distributes its requests over all four Workers and loses none", async () => {
    const { code, stdout, report } = await runExample("http_reuse_port");
    assertEquals(code, 0, report);
    assertMatch(stdout, /^4 Workers serve http:\/\/127\.0\.0\.1:\d+\/$/m);
    const counts = spread(stdout);
    assertEquals(counts.length, 4, report);
    assert(counts.every((count) => count > 0), report);
    assertEquals(counts.reduce((sum, count) => sum + count), 400, report);
  });

  it("starts the given number of Workers and sends the given number of requests", async () => {
    const { code, stdout, report } = await runExample("http_reuse_port", "--workers", "1", "--requests", "7");
    assertEquals(code, 0, report);
    assertMatch(stdout, /^1 Worker serves http:/m);
    assertEquals(spread(stdout), [7]);
  });

  itUnless(noCurl, "answers curl from several Workers, one connection from one of them", async () => {
    const { server, url } = await serve();
    await using _server = server;
    const apart = await curl("-H", "Connection: close", `${url}[1-100]`);
    assertEquals(apart.length, 100);
    for (const answer of apart) assertMatch(answer, /^worker [1-4]$/);
    assertGreater(new Set(apart).size, 1);
    const together = await curl(`${url}[1-100]`);
    assertEquals(together.length, 100);
    assertEquals(new Set(together).size, 1);
  });

  itUnless(noCurl, "serves until Ctrl-C, and then frees the port", async () => {
    const { server, url } = await serve("--workers", "2");
    await using _server = server;
    assertMatch((await curl(url)).join(), /^worker [12]$/);
    const { code, report } = await server.end("SIGINT");
    assertEquals(code, 0, report);
    using again = Deno.listen({ hostname: "127.0.0.1", port: Number(new URL(url).port) });
    assertEquals(String(again.addr.port), new URL(url).port);
  });

  it("prints one line if the port is in use without SO_REUSEPORT", async () => {
    using holder = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = holder.addr;
    const { code, stdout, stderr, report } = await runExample("http_reuse_port", "--port", String(port));
    assertEquals(code, 1, report);
    assertEquals(stdout, "");
    assertMatch(stderr, new RegExp(`^http_reuse_port: bind 127\\.0\\.0\\.1:${port}: address already in use .*$`));
  });

  it("prints one line for the error of a Worker", async () => {
    const [command] = await printedCommands("http_reuse_port");
    const flags = command!.slice(1).filter((flag) => !flag.startsWith("--allow-read"));
    const cwd = new URL("../../", import.meta.url);
    const { code, stderr, report } = await run(Deno.execPath(), ["run", "--no-prompt", ...flags], { cwd });
    assertEquals(code, 1, report);
    assertMatch(stderr, /^http_reuse_port: worker \d: Requires read access to .*--allow-read flag$/m);
  });
});

describe("The command line of examples/http_reuse_port.ts", () => {
  it("prints all options on --help", async () => {
    const { success, stdout, report } = await runExample("http_reuse_port", "--help");
    assert(success, report);
    for (const option of ["workers", "requests", "serve", "host", "port", "help"]) {
      assertStringIncludes(stdout, `--${option} `);
    }
  });

  it("needs permission for loopback and the folder of the Worker only", async () => {
    const flags = ["--allow-ffi", "--allow-net=127.0.0.1", "--allow-read=examples"];
    assertEquals(await printedCommands("http_reuse_port"), [["run", ...flags, "examples/http_reuse_port.ts"]]);
  });

  const mistakes: [args: string[], line: RegExp][] = [
    [["--bogus"], /^unknown option --bogus; see --help$/],
    [["--workers", "0"], /^--workers 0: expected a whole number from 1 to 64$/],
    [["--requests", "many"], /^--requests many: expected a whole number from 1 to 10000$/],
    [["--port", "65536"], /^--port 65536: expected a whole number from 0 to 65535$/],
    [["--host", "192.0.2.55"], /^Requires net access to "192\.0\.2\.55:0", .*--allow-net flag$/],
  ];
  for (const [args, line] of mistakes) {
    it(`prints one line for ${args.join(" ")}`, async () => {
      const { code, stdout, stderr, report } = await runExample("http_reuse_port", ...args);
      assertEquals(code, 1, report);
      assertEquals(stdout, "");
      assertMatch(stderr, /^http_reuse_port: .*$/);
      assertMatch(stderr.replace("http_reuse_port: ", ""), line);
    });
  }
});
