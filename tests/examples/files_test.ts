import { assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { connect, listen } from "../../mod.ts";
import { assertSameBytes } from "../support/assertions.ts";
import { bytes, pattern } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { type Child, start } from "../support/process.ts";
import { ROOT } from "../support/repository.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { printedCommands } from "./support.ts";
import { startAt, temporaryFolder } from "./unix_support.ts";

noDescriptorLeaks();

const README = await Deno.readFile(new URL("README.md", ROOT));
const noCurl = await missingCommands("curl");
const noScript = await missingCommands("script");

describe("examples/pass_file.ts", TIMEOUT, () => {
  it("says so when nothing was passed", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/door`;
    using door = listen({ transport: "unix", path });
    const taker = await startAt(path, "pass_file", { args: ["--take", "--path", path] });
    using conn = await door.accept();
    await conn.write(bytes("x"));
    const { code, stderr, report } = await taker.finished();
    assertEquals([code, stderr], [1, "pass_file: No file was passed"], report);
  });

  it("prints one line without a file", async () => {
    const [run, ...flags] = (await printedCommands("pass_file"))[0]!;
    const child = start(Deno.execPath(), [run!, "--no-prompt", ...flags.slice(0, -1)], { cwd: ROOT });
    const { code, stderr, report } = await child.finished();
    assertEquals([code, stderr], [1, "pass_file: expected a file; see --help"], report);
  });
});

/** Starts the server for a file, with the flags of its header, on a free port. */
async function serve(file: string, ...args: string[]): Promise<{ child: Child; port: number }> {
  const [run, ...flags] = (await printedCommands("serve_file"))[0]!;
  const all = flags.map((flag) => flag.replace(/README\.md$/, file));
  const child = start(Deno.execPath(), [run!, "--no-prompt", ...all, "--port", "0", ...args], { cwd: ROOT });
  const [, port] = await child.waitForLine(/^Serving .* at http:\/\/127\.0\.0\.1:(\d+)\/; Ctrl-C stops$/);
  return { child, port: Number(port) };
}

describe("examples/serve_file.ts", TIMEOUT, () => {
  it("serves a large file to several clients at a time, and ends at Ctrl-C", async () => {
    await using folder = await temporaryFolder();
    const file = `${folder.path}/large`;
    const data = pattern(20_000_003, 1);
    await Deno.writeFile(file, data);
    const { child, port } = await serve(file);
    await using _ending = child;
    const bodies = await Promise.all([1, 2, 3].map(async () => {
      const response = await fetch(`http://127.0.0.1:${port}/large`);
      assertEquals(response.headers.get("content-length"), String(data.length));
      return await response.bytes();
    }));
    for (const body of bodies) assertSameBytes(body, data);
    const head = await fetch(`http://127.0.0.1:${port}/`, { method: "HEAD" });
    assertEquals([head.status, (await head.bytes()).length], [200, 0]);
    const { code, stdout, report } = await child.end("SIGINT");
    assertEquals(code, 0, report);
    const sent = stdout.split("\n").slice(1).map((line) => line.replace(/^127\.0\.0\.1:\d+: /, ""));
    assertEquals(sent.sort(), ["0 bytes", ...new Array(3).fill(`${data.length} bytes`)].sort(), report);
  });

  itUnless(noCurl, "serves curl", async () => {
    const { child, port } = await serve("README.md", "--once");
    await using _ending = child;
    const curl = await start("curl", ["-sS", `http://127.0.0.1:${port}/`]).finished();
    assertEquals(curl.success, true, curl.report);
    assertEquals(curl.stdout, new TextDecoder().decode(README).trimEnd());
    const { code, stdout, report } = await child.finished();
    assertEquals(code, 0, report);
    assertMatch(stdout.split("\n")[1]!, new RegExp(`^127\\.0\\.0\\.1:\\d+: ${README.length} bytes$`));
  });

  it("goes on when a client breaks off", async () => {
    await using folder = await temporaryFolder();
    const file = `${folder.path}/large`;
    await Deno.writeFile(file, new Uint8Array(20_000_000));
    const { child, port } = await serve(file);
    await using _ending = child;
    const conn = await connect({ port });
    await conn.write(bytes("GET / HTTP/1.1\r\n\r\n"));
    await conn.read(new Uint8Array(1000));
    conn.setLinger(0);
    conn.close();
    await child.waitForLine(/^127\.0\.0\.1:\d+: sendfile: (connection reset by peer|broken pipe)/, "stderr");
    const response = await fetch(`http://127.0.0.1:${port}/`);
    assertEquals((await response.bytes()).length, 20_000_000);
    assertEquals((await child.end("SIGTERM")).code, 0);
  });

  itUnless(noScript, "draws a progress bar on a terminal", async () => {
    await using folder = await temporaryFolder();
    const file = `${folder.path}/large`;
    await Deno.writeFile(file, new Uint8Array(30_000_000));
    const [run, ...flags] = (await printedCommands("serve_file"))[0]!;
    const all = flags.map((flag) => flag.replace(/README\.md$/, file));
    const command = [Deno.execPath(), run!, "--no-prompt", ...all, "--port", "0", "--once"].join(" ");
    const child = start("script", ["-qec", command, "/dev/null"], { cwd: ROOT });
    await using _ending = child;
    const [, port] = await child.waitForLine(/at http:\/\/127\.0\.0\.1:(\d+)\//);
    using conn = await connect({ port: Number(port) });
    await conn.write(bytes("GET / HTTP/1.1\r\n\r\n"));
    // Not read to the end before the bar has been drawn.
    await conn.read(new Uint8Array(1000));
    await new Promise((resolve) => setTimeout(resolve, 500));
    for (const p = new Uint8Array(1 << 20); await conn.read(p) !== null;);
    const { stdout, report } = await child.finished();
    assertMatch(stdout, /\[#*-+\] +\d+ % {2}\d+\.\d MB\/s/, report);
  });

  it("prints one line for what is no file", async () => {
    const [run, ...flags] = (await printedCommands("serve_file"))[0]!;
    for (
      const [args, line] of [[[], "expected a file; see --help"], [
        ["--port", "x", "README.md"],
        "--port x: expected a whole number from 0 to 65535",
      ]] as const
    ) {
      const child = start(Deno.execPath(), [run!, "--no-prompt", ...flags.slice(0, -1), ...args], { cwd: ROOT });
      const { code, stderr, report } = await child.finished();
      assertEquals([code, stderr], [1, `serve_file: ${line}`], report);
    }
  });
});
