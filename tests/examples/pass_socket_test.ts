import { assert, assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { listen, listenDatagram, type UnixConn, type UnixListener } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { LOOPBACK } from "../support/loopback.ts";
import type { Child, Finished } from "../support/process.ts";
import { printedCommands } from "./support.ts";
import { exists, startAt, temporaryFolder } from "./unix_support.ts";

noDescriptorLeaks();

async function runExample(path: string, ...args: string[]): Promise<Finished> {
  const child = await startAt(path, "pass_socket", { args: ["--path", path, ...args] });
  return await child.finished();
}

/** The example in its other role, and the connection on which it waits for a socket. */
async function startTaker(path: string, door: UnixListener): Promise<{ taker: Child; conn: UnixConn }> {
  const taker = await startAt(path, "pass_socket", { args: ["--take", "--path", path] });
  return { taker, conn: await door.accept() };
}

describe("examples/pass_socket.ts", () => {
  for (const kind of ["udp", "tcp"]) {
    it(`passes a ${kind} socket to another process, which answers every request`, async () => {
      await using folder = await temporaryFolder();
      const path = `${folder.path}/door`;
      const { code, stdout, report } = await runExample(path, "--kind", kind);
      assertEquals(code, 0, report);
      const [opened, handed, ...rest] = stdout.split("\n");
      const [, opener] = opened!.match(new RegExp(`^Process (\\d+) opened 127\\.0\\.0\\.1:\\d+/${kind}$`)) ?? [];
      const [, giver, taker] =
        handed!.match(/^Process (\d+) passed it to process (\d+) and closed its own descriptor$/) ?? [];
      assert(opener !== undefined && taker !== undefined, report);
      assertEquals(giver, opener);
      assertNotEquals(taker, opener);
      assertEquals(rest, [
        ...[1, 2, 3].map((request) => `Request ${request}: served by process ${taker}`),
        `Process ${taker} exited`,
      ]);
      assert(!await exists(path));
    });
  }

  it("passes a UDP socket by default", async () => {
    await using folder = await temporaryFolder();
    const { code, stdout, report } = await runExample(`${folder.path}/door`);
    assertEquals(code, 0, report);
    assertMatch(stdout, /^Process \d+ opened 127\.0\.0\.1:\d+\/udp$/m);
  });

  it("serves with --take on a listener from any program, until that closes the connection", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/door`;
    using door = listen({ transport: "unix", path });
    using served = listen({ hostname: LOOPBACK, port: 0 });
    const { taker, conn } = await startTaker(path, door);
    await using _taker = taker;
    await conn.sendMessage({ data: new Uint8Array(1), fds: [served] });
    const { port } = served.addr;
    served.close();
    const client = await Deno.connect({ hostname: LOOPBACK, port });
    assertEquals(await new Response(client.readable).text(), `served by process ${taker.pid}`);
    conn.close();
    const { code, report } = await taker.finished();
    assertEquals(code, 0, report);
  });

  it("prints one line with --take if it gets no socket, or one that it cannot serve on", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/door`;
    using door = listen({ transport: "unix", path });
    using wrong = listenDatagram({ transport: "unixgram" });
    const cases = [[[], "No socket was passed"], [
      [wrong],
      "The socket is neither a UDP socket nor a TCP listener",
    ]] as const;
    for (const [fds, words] of cases) {
      const { taker, conn } = await startTaker(path, door);
      await conn.sendMessage({ data: new Uint8Array(1), fds });
      conn.close();
      const { code, stderr, report } = await taker.finished();
      assertEquals(code, 1, report);
      assertEquals(stderr, `pass_socket: ${words}`);
    }
  });

  it("prints one line if the path is in use", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/door`;
    using _holder = Deno.listen({ transport: "unix", path });
    const { code, stderr, report } = await runExample(path);
    assertEquals(code, 1, report);
    assertMatch(stderr, new RegExp(`^pass_socket: bind ${path}: address already in use .*$`));
  });
});

describe("The command line of examples/pass_socket.ts", () => {
  it("prints all options on --help", async () => {
    const { success, stdout, report } = await runExample("/tmp/unused", "--help");
    assert(success, report);
    for (const option of ["kind", "path", "take", "help"]) assertStringIncludes(stdout, `--${option} `);
  });

  it("needs permission for loopback, its path and running itself only", async () => {
    const path = "/tmp/berkeley-pass.sock";
    const grants = [`--allow-net=127.0.0.1,unix:${path}`, `--allow-read=${path}`, `--allow-write=${path}`];
    const command = ["run", "--allow-ffi", ...grants, "--allow-run", "examples/pass_socket.ts"];
    assertEquals(await printedCommands("pass_socket"), [command]);
  });

  const mistakes: [args: string[], line: RegExp][] = [
    [["--bogus"], /^pass_socket: unknown option --bogus; see --help$/],
    [["--kind", "sctp"], /^pass_socket: --kind sctp: expected udp or tcp$/],
    [["--path", "/tmp/other"], /^pass_socket: Requires read access to "\/tmp\/other", .*--allow-read flag$/],
  ];
  for (const [args, line] of mistakes) {
    it(`prints one line for ${args.join(" ")}`, async () => {
      const { code, stderr, report } = await runExample("/tmp/unused", ...args);
      assertEquals(code, 1, report);
      assertMatch(stderr, line);
      assertEquals(stderr.split("\n").length, 1, report);
    });
  }
});
