import { assert, assertEquals, assertGreater, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { LOOPBACK } from "../support/loopback.ts";
import { type Child, type Finished, run } from "../support/process.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import { printedCommands } from "./support.ts";
import { exists, startAt, temporaryFolder } from "./unix_support.ts";

noDescriptorLeaks();

const noKill = await missingCommands("kill");
async function runExample(path: string, ...args: string[]): Promise<Finished> {
  const child = await startAt(path, "graceful_restart", { args: ["--path", path, ...args] });
  return await child.finished();
}

/** One version of the server, and the port it serves. */
async function startVersion(path: string, version: number): Promise<{ server: Child; port: number }> {
  const args = ["--serve", String(version), "--path", path];
  const server = await startAt(path, "graceful_restart", { args, stdin: true });
  const [port] = await server.waitForLine(/^\d+$/);
  return { server, port: Number(port) };
}

/** Asks on an open connection: the number of the version that answers. */
async function ask(conn: Deno.Conn): Promise<number> {
  const answer = new Uint8Array(1);
  await conn.write(Uint8Array.of(0));
  assertEquals(await conn.read(answer), 1);
  return answer[0]!;
}

/** Asks on a connection of its own. */
async function askAnew(port: number): Promise<number> {
  using conn = await Deno.connect({ hostname: LOOPBACK, port });
  return await ask(conn);
}

describe("examples/graceful_restart.ts", () => {
  itUnless(noKill, "restarts twenty times under load without one failure, and leaves nothing behind", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/restart`;
    const { code, stdout, report } = await runExample(path);
    assertEquals(code, 0, report);
    const lines = stdout.split("\n");
    assertEquals(lines.at(-1), "Restarts: 20, failures: 0", report);
    const [, requests, connections] =
      lines.at(-2)!.match(/^(\d+) requests on (\d+) connections, answered by 21 versions$/) ?? [];
    assertGreater(Number(connections), 20, report);
    assertGreater(Number(requests), Number(connections), report);

    const pids = Array.from(stdout.matchAll(/^Version \d+ \(process (\d+)\) serves/gm), ([, pid]) => pid!);
    assertEquals(new Set(pids).size, 21, report);
    for (const pid of pids) assert(!(await run("kill", ["-0", pid])).success, `Process ${pid} is still there`);
    assert(!await exists(path));
  });

  it("finishes connections that were open at a restart", async () => {
    await using folder = await temporaryFolder();
    const { code, stdout, report } = await runExample(`${folder.path}/restart`, "--restarts", "5");
    assertEquals(code, 0, report);
    const open = Array.from(
      stdout.matchAll(/; connections finished by the old version: (\d+)$/gm),
      ([, count]) => Number(count),
    );
    assertEquals(open.length, 5, report);
    assertGreater(Math.max(...open), 0, report);
  });

  it("restarts as often as requested, and replaces the path of an earlier run", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/restart`;
    {
      await using _killed = (await startVersion(path, 1)).server;
    }
    assert(await exists(path));
    const { code, stdout, report } = await runExample(path, "--restarts", "1");
    assertEquals(code, 0, report);
    assertMatch(stdout, /answered by 2 versions\nRestarts: 1, failures: 0$/);
  });

  it("keeps a client with the version that accepted it, which ends after its last client", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/restart`;
    const { server: first, port } = await startVersion(path, 1);
    await using _first = first;
    const client = await Deno.connect({ hostname: LOOPBACK, port });
    assertEquals(await ask(client), 1);

    const { server: second, port: same } = await startVersion(path, 2);
    await using _second = second;
    assertEquals(same, port);
    await first.waitForLine(/^1$/);
    assertEquals(await askAnew(port), 2);
    assertEquals(await ask(client), 1);
    client.close();
    const { code, report } = await first.finished();
    assertEquals(code, 0, report);

    await second.closeInput();
    const end = await second.finished();
    assertEquals(end.code, 0, end.report);
    assert(!await exists(path));
  });

  it("goes on with the old version if a successor dies before it is ready", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/restart`;
    const { server: first, port } = await startVersion(path, 1);
    await using _first = first;
    for (let attempt = 0; attempt < 3; attempt++) {
      const conn = await Deno.connect({ transport: "unix", path });
      assertEquals(await conn.read(new Uint8Array(8)), 1);
      conn.close();
      assertEquals(await askAnew(port), 1);
    }
    const { server: second } = await startVersion(path, 2);
    await using _second = second;
    const { code, report } = await first.finished();
    assertEquals(code, 0, report);
    assertEquals(await askAnew(port), 2);
  });

  it("prints one line if a version fails, and leaves none running", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/restart`;
    using _holder = Deno.listen({ transport: "unix", path });
    const { code, stderr, report } = await runExample(path);
    assertEquals(code, 1, report);
    assertMatch(stderr, new RegExp(`^graceful_restart: bind ${path}: address already in use .*$`, "m"));
    assertMatch(stderr, /^graceful_restart: Version 1 failed before it was ready$/m);
  });
});

describe("The command line of examples/graceful_restart.ts", () => {
  it("prints all options on --help", async () => {
    const { success, stdout, report } = await runExample("/tmp/unused", "--help");
    assert(success, report);
    for (const option of ["restarts", "path", "serve", "help"]) assertStringIncludes(stdout, `--${option} `);
  });

  it("needs permission for loopback, its path and running itself only", async () => {
    const path = "/tmp/berkeley-restart.sock";
    const grants = [`--allow-net=127.0.0.1,unix:${path}`, `--allow-read=${path}`, `--allow-write=${path}`];
    const command = ["run", "--allow-ffi", ...grants, "--allow-run", "examples/graceful_restart.ts"];
    assertEquals(await printedCommands("graceful_restart"), [command]);
  });

  const mistakes: [args: string[], line: RegExp][] = [
    [["--bogus"], /^graceful_restart: unknown option --bogus; see --help$/],
    [["--restarts", "0"], /^graceful_restart: --restarts 0: expected a whole number from 1 to 200$/],
    [["--restarts", "many"], /^graceful_restart: --restarts many: expected a whole number from 1 to 200$/],
    [["--serve", "1.5"], /^graceful_restart: --serve 1\.5: expected a whole number from 1 to 201$/],
  ];
  for (const [args, line] of mistakes) {
    it(`prints one line for ${args.join(" ")}`, async () => {
      const { code, stdout, stderr, report } = await runExample("/tmp/unused", ...args);
      assertEquals(code, 1, report);
      assertEquals(stdout, "");
      assertMatch(stderr, line);
      assertEquals(stderr.split("\n").length, 1, report);
    });
  }
});
