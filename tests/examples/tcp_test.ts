import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { LOOPBACK } from "../support/loopback.ts";
import { type Child, start } from "../support/process.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import { echo, printedCommands, runExample, startExample, writeAll } from "./support.ts";

noDescriptorLeaks();

const noNetcat = await missingCommands("nc");
const CLIENT = "127\\.0\\.0\\.1:\\d+";

async function startServer(...args: string[]): Promise<{ server: Child; port: number }> {
  const server = await startExample("tcp_echo_server", { args: ["--port", "0", ...args] });
  const [, port] = await server.waitForLine(/^Listening on 127\.0\.0\.1:(\d+); Ctrl-C stops$/);
  return { server, port: Number(port) };
}

/** A port without a listener, which no other program can bind: that of a client. */
async function refusingPort(): Promise<{ port: number } & Disposable> {
  using listener = Deno.listen({ hostname: LOOPBACK, port: 0 });
  const client = await Deno.connect({ hostname: LOOPBACK, port: listener.addr.port });
  (await listener.accept()).close();
  return { port: client.localAddr.port, [Symbol.dispose]: () => client.close() };
}

describe("examples/tcp_echo_client.ts", () => {
  it("prints one line if the connection is refused, with a hint", async () => {
    using closed = await refusingPort();
    const { code, stdout, stderr, report } = await runExample("tcp_echo_client", "--port", String(closed.port));
    assertEquals(code, 1, report);
    assertEquals(stdout, "");
    assertEquals(
      stderr,
      `tcp_echo_client: connect 127.0.0.1:${closed.port}: connection refused (ECONNREFUSED); start tcp_echo_server.ts first`,
    );
  });

  it("prints one line if the server closes the connection", async () => {
    using listener = Deno.listen({ hostname: LOOPBACK, port: 0 });
    const client = await startExample("tcp_echo_client", { args: ["--port", String(listener.addr.port)] });
    const conn = await listener.accept();
    await conn.read(new Uint8Array(64));
    conn.close();
    const { code, stderr, report } = await client.finished();
    assertEquals(code, 1, report);
    assertEquals(stderr, "tcp_echo_client: the server closed the connection");
  });
});

describe("examples/tcp_echo_server.ts", () => {
  it("serves many clients at once", async () => {
    const { server, port } = await startServer();
    await using _server = server;
    using open = new DisposableStack();
    const clients: Deno.Conn[] = [];
    for (let client = 0; client < 20; client++) {
      clients.push(open.use(await Deno.connect({ hostname: LOOPBACK, port })));
    }
    for (const round of ["one", "two"]) {
      const answers = await Promise.all(clients.map((client, index) => echo(client, `${round} ${index}`)));
      assertEquals(answers, clients.map((_, index) => `${round} ${index}`));
    }
  });

  it("echoes a megabyte", async () => {
    const { server, port } = await startServer();
    await using _server = server;
    using client = await Deno.connect({ hostname: LOOPBACK, port });
    const sent = Uint8Array.from({ length: 1 << 20 }, (_, index) => index % 251);
    const [back] = await Promise.all([new Response(client.readable).bytes(), writeAll(client, sent)]);
    assertEquals(back, sent);
  });

  itUnless(noNetcat, "works with nc, as in its header", async () => {
    const { server, port } = await startServer();
    await using _server = server;
    await using nc = start("nc", [LOOPBACK, String(port)], { stdin: true });
    await nc.write("hello\n");
    await nc.waitForLine(/^hello$/);
  });

  it("stops on Ctrl-C: it accepts no new connections, and open ones can finish", async () => {
    const { server, port } = await startServer();
    await using _server = server;
    const client = await Deno.connect({ hostname: LOOPBACK, port });
    assertEquals(await echo(client, "before"), "before");
    server.kill("SIGINT");
    await server.waitForLine(/^Stopped listening; open connections: 1; waiting for them, Ctrl-C ends them$/);
    await assertRejects(() => Deno.connect({ hostname: LOOPBACK, port }), Deno.errors.ConnectionRefused);
    assertEquals(await echo(client, "after"), "after");
    client.close();
    const { code, stdout, report } = await server.finished();
    assertEquals(code, 0, report);
    assertMatch(stdout, new RegExp(`^${CLIENT} ended after 11 bytes$`, "m"));
  });

  it("ends at once on a second Ctrl-C", async () => {
    const { server, port } = await startServer();
    await using _server = server;
    using client = await Deno.connect({ hostname: LOOPBACK, port });
    assertEquals(await echo(client, "here"), "here");
    server.kill("SIGINT");
    await server.waitForLine(/^Stopped listening/);
    const { signal, report } = await server.end("SIGINT");
    assertEquals(signal, "SIGINT", report);
  });

  it("closes the connection of an idle client, and goes on", async () => {
    const { server, port } = await startServer("--idle", "0.1");
    await using _server = server;
    using silent = await Deno.connect({ hostname: LOOPBACK, port });
    assertEquals(await silent.read(new Uint8Array(1)), null);
    await server.waitForLine(new RegExp(`^${CLIENT} failed after 0 bytes: recvmsg: deadline exceeded$`));
    using other = await Deno.connect({ hostname: LOOPBACK, port });
    assertEquals(await echo(other, "hello"), "hello");
  });

  it("prints one line if the port is in use", async () => {
    using holder = Deno.listen({ hostname: LOOPBACK, port: 0 });
    const { port } = holder.addr;
    const { code, stderr, report } = await runExample("tcp_echo_server", "--port", String(port));
    assertEquals(code, 1, report);
    assertMatch(stderr, new RegExp(`^tcp_echo_server: bind 127\\.0\\.0\\.1:${port}: address already in use .*$`));
  });
});

describe("examples/tcp_fan_out.ts", () => {
  it("shows that one dial of ten wins, and that the others are cancelled and closed", async () => {
    const { code, stdout, report } = await runExample("tcp_fan_out");
    assertEquals(code, 0, report);
    const [title, ...lines] = stdout.split("\n");
    assertMatch(title!, /^10 dials at once, the first connection after \d+\.\d ms$/);
    assertEquals(lines.length, 10, report);
    const won = lines.filter((line) => /\t127\.0\.0\.1:\d+\twon; its listener received "you won"$/.test(line));
    const lost = lines.filter((line) => /\t127\.0\.0\.1:\d+\tcancelled and closed; its listener /.test(line));
    assertEquals([won.length, lost.length], [1, 9], report);
    assert(lost.every((line) => !line.includes("received")), report);
  });

  it("dials a given port ten times, and keeps one connection", async () => {
    using listener = Deno.listen({ hostname: LOOPBACK, port: 0 });
    const { code, stdout, report } = await runExample("tcp_fan_out", "--port", String(listener.addr.port));
    assertEquals(code, 0, report);
    const [, ...lines] = stdout.split("\n");
    const won = lines.filter((line) => line.endsWith(`\t127.0.0.1:${listener.addr.port}\twon`));
    const lost = lines.filter((line) => line.endsWith(`\t127.0.0.1:${listener.addr.port}\tcancelled and closed`));
    assertEquals([won.length, lost.length], [1, 9], report);
  });

  it("prints one line with the cause if all ten fail", async () => {
    using closed = await refusingPort();
    const { code, stderr, report } = await runExample("tcp_fan_out", "--port", String(closed.port));
    assertEquals(code, 1, report);
    const why = `connect 127.0.0.1:${closed.port}: connection refused (ECONNREFUSED)`;
    assertEquals(stderr, `tcp_fan_out: None of 10 candidates answered: ${why}`);
  });
});

for (const example of ["tcp_echo_server", "tcp_echo_client", "tcp_fan_out"]) {
  describe(`The command line of examples/${example}.ts`, () => {
    it("prints all options on --help", async () => {
      const { success, stdout, report } = await runExample(example, "--help");
      assert(success, report);
      for (const option of ["--host HOST", "--port PORT", "--help"]) assertStringIncludes(stdout, option);
    });

    it("needs permission for loopback only", async () => {
      const commands = await printedCommands(example);
      assertEquals(commands, [["run", "--allow-ffi", "--allow-net=127.0.0.1", `examples/${example}.ts`]]);
    });

    const mistakes: [args: string[], words: RegExp][] = [
      [["--bogus"], /^unknown option --bogus; see --help$/],
      [["stray"], /^unexpected argument stray; see --help$/],
      [["--port", "http"], /^--port http: expected a whole number from [01] to 65535$/],
      [["--port", "7007", "--host", "192.0.2.55"], /Requires net access to "192\.0\.2\.55:7007", .*--allow-net flag$/],
    ];
    for (const [args, words] of mistakes) {
      it(`prints one line for ${args.join(" ")}`, async () => {
        const { code, stdout, stderr, report } = await runExample(example, ...args);
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
