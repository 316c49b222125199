import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { type Child, type Finished, start } from "../support/process.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import { echo, printedCommands, writeAll } from "./support.ts";
import { exists, startAt, temporaryFolder } from "./unix_support.ts";

noDescriptorLeaks();

const noNcat = await missingCommands("ncat");
const WHO = `process \\d+ of user ${Deno.uid()}`;

async function runExample(path: string, example: string, ...args: string[]): Promise<Finished> {
  const child = await startAt(path, example, { args: ["--path", path, ...args] });
  return await child.finished();
}

async function startServer(path: string, ...args: string[]): Promise<Child> {
  const server = await startAt(path, "unix_echo_server", { args: ["--path", path, ...args] });
  await server.waitForLine(new RegExp(`^Listening on ${path}; Ctrl-C stops$`));
  return server;
}

/** Deno's own client. */
function dial(path: string): Promise<Deno.UnixConn> {
  return Deno.connect({ transport: "unix", path });
}

/** Leaves the path of a server that has no time to tidy up. */
async function killServer(path: string): Promise<void> {
  const server = await startServer(path);
  const { signal, report } = await server.end("SIGKILL");
  assertEquals(signal, "SIGKILL", report);
  assert(await exists(path));
}

async function permissionBits(path: string): Promise<number> {
  const { mode, isSocket } = await Deno.lstat(path);
  assert(isSocket);
  return mode! & 0o777;
}

describe("examples/unix_echo_client.ts", () => {
  itUnless(noNcat, "works with a listening ncat", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/echo`;
    await using ncat = start("ncat", ["-v", "-l", "-U", path], { stdin: true });
    await ncat.waitForLine(/Listening on /, "stderr");
    await using client = await startAt(path, "unix_echo_client", { args: ["--path", path, "--text", "hello\n"] });
    await ncat.waitForLine(/^hello$/);
    await ncat.write("HELLO\n");
    await client.waitForLine(/^Echo: "HELLO\\n"$/);
    await ncat.closeInput();
    const { code, report } = await client.finished();
    assertEquals(code, 0, report);
  });

  it("prints one line if there is no path or no listener, with a hint", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/echo`;
    const nothing = await runExample(path, "unix_echo_client");
    assertEquals(nothing.code, 1, nothing.report);
    assertEquals(
      nothing.stderr,
      `unix_echo_client: connect ${path}: no such file or directory (ENOENT); start unix_echo_server.ts first`,
    );
    await killServer(path);
    const refused = await runExample(path, "unix_echo_client");
    assertEquals(refused.code, 1, refused.report);
    assertEquals(
      refused.stderr,
      `unix_echo_client: connect ${path}: connection refused (ECONNREFUSED); start unix_echo_server.ts first`,
    );
  });

  it("prints one line if the server closes the connection", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/echo`;
    using listener = Deno.listen({ transport: "unix", path });
    const client = await startAt(path, "unix_echo_client", { args: ["--path", path] });
    const conn = await listener.accept();
    await conn.read(new Uint8Array(64));
    conn.close();
    const { code, stderr, report } = await client.finished();
    assertEquals(code, 1, report);
    assertEquals(stderr, "unix_echo_client: the server closed the connection");
  });
});

describe("examples/unix_echo_server.ts", () => {
  itUnless(noNcat, "works with ncat -U", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/echo`;
    await using server = await startServer(path);
    await using ncat = start("ncat", ["-U", path], { stdin: true });
    for (const text of ["hello", "hello again"]) {
      await ncat.write(`${text}\n`);
      await ncat.waitForLine(new RegExp(`^${text}$`));
    }
    await ncat.closeInput();
    await server.waitForLine(new RegExp(`^process ${ncat.pid} of user ${Deno.uid()} ended after 18 bytes$`));
  });

  it("serves many clients at once", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/echo`;
    await using _server = await startServer(path);
    using open = new DisposableStack();
    const clients: Deno.Conn[] = [];
    for (let client = 0; client < 20; client++) clients.push(open.use(await dial(path)));
    for (const round of ["one", "two"]) {
      const answers = await Promise.all(clients.map((client, index) => echo(client, `${round} ${index}`)));
      assertEquals(answers, clients.map((_, index) => `${round} ${index}`));
    }
  });

  it("echoes a megabyte", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/echo`;
    await using _server = await startServer(path);
    using client = await dial(path);
    const sent = Uint8Array.from({ length: 1 << 20 }, (_, index) => index % 251);
    const [back] = await Promise.all([new Response(client.readable).bytes(), writeAll(client, sent)]);
    assertEquals(back, sent);
  });

  it("accepts only its own user by default", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/echo`;
    for (const [args, mode] of [[[], 0o600], [["--mode", "666"], 0o666]] as const) {
      await using server = await startServer(path, ...args);
      assertEquals(await permissionBits(path), mode);
      await server.end("SIGTERM");
    }
  });

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`stops on ${signal}: it removes its path, accepts no new connections, and open ones can finish`, async () => {
      await using folder = await temporaryFolder();
      const path = `${folder.path}/echo`;
      await using server = await startServer(path);
      const client = await dial(path);
      assertEquals(await echo(client, "before"), "before");
      server.kill(signal);
      await server.waitForLine(/^Stopped listening; open connections: 1; waiting for them, Ctrl-C ends them$/);
      assert(!await exists(path));
      await assertRejects(() => dial(path), Deno.errors.NotFound);
      assertEquals(await echo(client, "after"), "after");
      client.close();
      const { code, stdout, report } = await server.finished();
      assertEquals(code, 0, report);
      assertMatch(stdout, new RegExp(`^${WHO} ended after 11 bytes$`, "m"));
    });
  }

  it("ends at once on a second Ctrl-C", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/echo`;
    await using server = await startServer(path);
    using client = await dial(path);
    assertEquals(await echo(client, "here"), "here");
    server.kill("SIGINT");
    await server.waitForLine(/^Stopped listening/);
    const { signal, report } = await server.end("SIGINT");
    assertEquals(signal, "SIGINT", report);
  });

  it("closes the connection of an idle client, and goes on", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/echo`;
    await using server = await startServer(path, "--idle", "0.1");
    using silent = await dial(path);
    assertEquals(await silent.read(new Uint8Array(1)), null);
    await server.waitForLine(new RegExp(`^${WHO} failed after 0 bytes: recvmsg: deadline exceeded$`));
    using other = await dial(path);
    assertEquals(await echo(other, "hello"), "hello");
  });

  it("replaces the path of a server that was killed", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/echo`;
    await killServer(path);
    await using server = await startServer(path);
    using client = await dial(path);
    assertEquals(await echo(client, "hello"), "hello");
    client.close();
    const { code, report } = await server.end("SIGTERM");
    assertEquals(code, 0, report);
    assert(!await exists(path));
  });

  it("does not replace the path of a live server, and prints one line", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/echo`;
    await using _server = await startServer(path);
    const { code, stderr, report } = await runExample(path, "unix_echo_server");
    assertEquals(code, 1, report);
    assertMatch(
      stderr,
      new RegExp(`^unix_echo_server: bind ${path}: address already in use .* in use; .*$`),
    );
    assertEquals(stderr.split("\n").length, 1);
    using client = await dial(path);
    assertEquals(await echo(client, "still here"), "still here");
  });

  it("does not replace a file that is not a socket, and prints one line", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/echo`;
    await Deno.writeTextFile(path, "precious");
    const { code, stderr, report } = await runExample(path, "unix_echo_server");
    assertEquals(code, 1, report);
    assertMatch(
      stderr,
      new RegExp(`^unix_echo_server: bind ${path}: .*the path exists and is not a socket.*$`),
    );
    assertEquals(await Deno.readTextFile(path), "precious");
  });
});

for (const example of ["unix_echo_server", "unix_echo_client"]) {
  describe(`The command line of examples/${example}.ts`, () => {
    it("prints all options on --help", async () => {
      const { success, stdout, report } = await runExample("/tmp/unused", example, "--help");
      assert(success, report);
      for (const option of ["--path PATH", "--help"]) assertStringIncludes(stdout, option);
    });

    it("needs permission for its path only", async () => {
      const path = "/tmp/berkeley-echo.sock";
      const grants = [`--allow-net=unix:${path}`, `--allow-read=${path}`, `--allow-write=${path}`];
      assertEquals(await printedCommands(example), [["run", "--allow-ffi", ...grants, `examples/${example}.ts`]]);
    });

    const long = `/tmp/${"x".repeat(200)}`;
    const mistakes: [path: string, args: string[], words: RegExp][] = [
      ["/tmp/unused", ["--bogus"], /^unknown option --bogus; see --help$/],
      ["/tmp/unused", ["stray"], /^unexpected argument stray; see --help$/],
      ["/tmp/unused", ["--path", "/tmp/other"], /^Requires read access to "\/tmp\/other", .*--allow-read flag$/],
      [long, [], /x{100}.*(bytes|long)/],
    ];
    for (const [path, args, words] of mistakes) {
      it(`answers ${args.join(" ") || "a path that is too long"} with one line`, async () => {
        const { code, stdout, stderr, report } = await runExample(path, example, ...args);
        assertEquals(code, 1, report);
        assertEquals(stdout, "");
        const [program, ...rest] = stderr.split(": ");
        assertEquals(program, example);
        assertMatch(rest.join(": "), words);
        assertEquals(stderr.split("\n").length, 1);
      });
    }
  });
}

describe("examples/unix_echo_server.ts refuses", () => {
  for (const [option, value] of [["mode", "9"], ["mode", "1777"], ["idle", "never"]] as const) {
    it(`--${option} ${value} in one line, and makes no file`, async () => {
      await using folder = await temporaryFolder();
      const path = `${folder.path}/echo`;
      const { code, stderr, report } = await runExample(path, "unix_echo_server", `--${option}`, value);
      assertEquals(code, 1, report);
      assertMatch(stderr, new RegExp(`^unix_echo_server: --${option} ${value}: expected .*$`));
      assert(!await exists(path));
    });
  }
});
