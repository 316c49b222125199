import {
  assert,
  assertEquals,
  assertFalse,
  assertGreater,
  assertLessOrEqual,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { listenDatagram } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { type Child, type Finished, run, startDeno } from "../support/process.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import { printedCommands, startExample } from "./support.ts";

noDescriptorLeaks();

const noScript = await missingCommands("script");

/** The example starts `deno`: that shall be the one that runs the tests, wherever it is. */
const folder = Deno.execPath().slice(0, Deno.execPath().lastIndexOf("/"));
const env = { PATH: `${folder}:${Deno.env.get("PATH")}` };

async function runExample(...args: string[]): Promise<Finished> {
  const child = await startExample("udp_flood", { args, env });
  return await child.finished();
}

async function startReceiver(): Promise<{ receiver: Child; port: number }> {
  const receiver = await startExample("udp_flood", { command: 1, args: ["--port", "0"] });
  const [, port] = await receiver.waitForLine(/^Receiving on 127\.0\.0\.1 port (\d+)$/);
  return { receiver, port: Number(port) };
}

/** The numbers of the summary. */
function counts({ stdout, report }: Finished): { sent: number; received: number; lost: number } {
  function find(pattern: RegExp): number {
    const [, count] = stdout.match(pattern) ?? [];
    assert(count !== undefined, `${pattern}\n${report}`);
    return Number(count.replaceAll(",", ""));
  }
  return {
    sent: find(/^Sent ([\d,]+) datagrams of \d+ bytes in [\d.]+ s: [\d,]+\/s, [\d.]+ MB\/s$/m),
    received: find(/^Received ([\d,]+) datagrams of \d+ bytes in /m),
    lost: find(/^Received .*; lost ([\d,]+) \([\d.]+ %\)$/m),
  };
}

/** A datagram as the flood's are: its flood, its number, and how many there were. */
function datagram(flood: number, number: number, total = 0): Uint8Array {
  const data = new Uint8Array(64);
  const view = new DataView(data.buffer);
  for (const [index, value] of [flood, number, total].entries()) view.setUint32(4 * index, value);
  return data;
}

describe("examples/udp_flood.ts", () => {
  for (const mode of ["single", "many", "segments"]) {
    it(`sends and receives in mode ${mode}, and shows rates and losses while it goes on`, async () => {
      const finished = await runExample("--seconds", "1", "--mode", mode);
      const { code, stdout, report } = finished;
      assertEquals(code, 0, report);
      const [title, ...lines] = stdout.split("\n");
      assertMatch(title!, new RegExp(`^Flooding 127\\.0\\.0\\.1 port \\d+ with datagrams of 64 bytes, mode ${mode}$`));
      const rate = String.raw`[\d,]+/s [\d.]+ MB/s`;
      assert(lines.some((line) => new RegExp(`^0\\.\\d of 1 s {2}sent ${rate}`).test(line)), report);
      const { sent, received, lost } = counts(finished);
      assertGreater(received, 0, report);
      // Datagrams behind the last that came are not known to be lost where the flood's last word is lost too.
      assertLessOrEqual(lost, sent - received, report);
    });
  }

  it("loses nothing at a low rate", async () => {
    const finished = await runExample("--seconds", "0.5", "--mode", "single", "--rate", "500", "--size", "1200");
    const { sent, received, lost } = counts(finished);
    assertEquals([received, lost], [sent, 0], finished.report);
    assertLessOrEqual(sent, 251, finished.report);
    assertStringIncludes(finished.stdout, `Received ${sent} datagrams of 1200 bytes`);
    assertFalse(finished.stdout.includes("limit"), finished.report);
  });

  it("runs in two terminals", async () => {
    const { receiver, port } = await startReceiver();
    await using _receiver = receiver;
    const sender = await startExample("udp_flood", {
      command: 2,
      args: ["--port", String(port), "--seconds", "0.5", "--rate", "2000"],
    });
    const [sent, received] = await Promise.all([sender.finished(), receiver.finished()]);
    for (const { code, report } of [sent, received]) assertEquals(code, 0, report);
    assertMatch(sent.stdout, /^Sent [\d,]+ datagrams of 64 bytes /m);
    assertMatch(received.stdout, /^Received [\d,]+ datagrams of 64 bytes /m);
  });

  it("detects lost and late datagrams by their numbers", async () => {
    const { receiver, port } = await startReceiver();
    await using _receiver = receiver;
    using socket = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
    const addr: Deno.NetAddr = { transport: "udp", hostname: "127.0.0.1", port };
    const stranger = [Uint8Array.of(1, 2, 3), datagram(8, 100), datagram(8, 0, 1000)];
    const flood = [0, 1, 2, 5, 4].map((number) => datagram(7, number));
    for (const data of [...flood, ...stranger, datagram(7, 0, 8)]) await socket.send(data, addr);
    const { code, stdout, report } = await receiver.finished();
    assertEquals(code, 0, report);
    assertMatch(stdout, /^Received 5 datagrams of 64 bytes in .*; lost 3 \(37\.50 %\), 1 late$/m);
    assertMatch(stdout, /^The receiver is the limit: .* --rate sends less\.$/m);
  });

  it("ends with the flood even if the final datagram is lost", async () => {
    const { receiver, port } = await startReceiver();
    await using _receiver = receiver;
    using socket = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
    for (const number of [0, 3]) {
      await socket.send(datagram(7, number), { transport: "udp", hostname: "127.0.0.1", port });
    }
    const { code, stdout, report } = await receiver.finished();
    assertEquals(code, 0, report);
    assertMatch(stdout, /^Received 2 datagrams .*; lost 2 \(50\.00 %\)$/m);
  });

  itUnless(noScript, "overwrites one line of progress on a terminal", async () => {
    const [command] = await printedCommands("udp_flood");
    const line = [Deno.execPath(), ...command!, "--seconds", "0.6", "--rate", "1000"].join(" ");
    const cwd = new URL("../../", import.meta.url);
    const { code, stdout, report } = await run("script", ["-qec", line, "/dev/null"], { cwd, env });
    assertEquals(code, 0, report);
    const [, progress] = stdout.split("\n");
    const steps = progress!.split("\r\x1b[K");
    assertGreater(steps.length, 2, report);
    assertMatch(steps[1]!, /^0\.\d of 0\.6 s {2}sent /);
    assertMatch(steps.at(-1)!, /^Sent [\d,]+ datagrams /);
  });

  it("floods IPv6 as well", async () => {
    const flags = ["--allow-ffi", "--allow-net=[::1]", "--allow-run=deno"];
    const args = ["--host", "::1", "--seconds", "0.3", "--rate", "1000"];
    const example = new URL("../../examples/udp_flood.ts", import.meta.url);
    const finished = await startDeno(example, { flags, args, env }).finished();
    assertEquals(finished.code, 0, finished.report);
    assertGreater(counts(finished).received, 0, finished.report);
  });

  it("prints one line if the port is in use", async () => {
    using holder = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
    const { port } = holder.addr;
    const { code, stdout, stderr, report } = await runExample("--port", String(port));
    assertEquals(code, 1, report);
    assertEquals(stdout, "");
    assertMatch(stderr, new RegExp(`^udp_flood: bind 127\\.0\\.0\\.1:${port}: address already in use .*$`));
  });
});

describe("The command line of examples/udp_flood.ts", () => {
  it("prints all options on --help", async () => {
    const { success, stdout, report } = await runExample("--help");
    assert(success, report);
    for (const option of ["send", "receive", "mode", "size", "seconds", "rate", "host", "port", "interface", "help"]) {
      assertStringIncludes(stdout, `--${option} `);
    }
  });

  it("needs permission for loopback, and for running Deno only if it does", async () => {
    const common = ["run", "--allow-ffi", "--allow-net=127.0.0.1"];
    assertEquals(await printedCommands("udp_flood"), [
      [...common, "--allow-run=deno", "examples/udp_flood.ts", "--mode", "segments"],
      [...common, "examples/udp_flood.ts", "--receive"],
      [...common, "examples/udp_flood.ts", "--send"],
    ]);
  });

  const mistakes: [args: string[], line: RegExp][] = [
    [["--bogus"], /^unknown option --bogus; see --help$/],
    [["--mode", "fast"], /^--mode fast: expected single, many, segments$/],
    [["--size", "11"], /^--size 11: expected a whole number from 12 to 65507$/],
    [["--seconds", "61"], /^--seconds 61: expected 0\.1 to 60$/],
    [["--send", "--port", "0"], /^--port 0: expected a whole number from 1 to 65535$/],
    [["--send", "--host", "192.0.2.55"], /^Requires net access to "192\.0\.2\.55:7008", .*--allow-net flag$/],
  ];
  for (const [args, line] of mistakes) {
    it(`prints one line for ${args.join(" ")}`, async () => {
      const { code, stdout, stderr, report } = await runExample(...args);
      assertEquals(code, 1, report);
      assertEquals(stdout, "");
      assertMatch(stderr, /^udp_flood: .*$/);
      assertMatch(stderr.replace("udp_flood: ", ""), line);
    });
  }
});
