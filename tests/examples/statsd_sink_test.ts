import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { listenDatagram } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { type Child, run, start } from "../support/process.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import { printedCommands, runExample, startExample } from "./support.ts";

noDescriptorLeaks();

const noPython = await missingCommands("python3");
const noNetcat = await missingCommands("nc");

async function startSink(...args: string[]): Promise<{ sink: Child; port: number }> {
  const sink = await startExample("statsd_sink", { args: ["--port", "0", ...args] });
  const [, port] = await sink.waitForLine(/^Listening on 127\.0\.0\.1 port (\d+); Ctrl-C stops$/);
  return { sink, port: Number(port) };
}

/** Sends each text as one datagram. */
async function say(port: number, ...texts: string[]): Promise<void> {
  using socket = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
  const addr: Deno.NetAddr = { transport: "udp", hostname: "127.0.0.1", port };
  await socket.sendMany(texts.map((text) => ({ data: new TextEncoder().encode(text), addr })));
}

/** What a sink prints of texts that it is sent, without the rates and times that differ: its title and its rows. */
async function collect(...texts: string[]): Promise<string[]> {
  const { sink, port } = await startSink("--once", String(texts.length));
  await using _sink = sink;
  await say(port, ...texts);
  const { code, stdout, report } = await sink.finished();
  assertEquals(code, 0, report);
  const [title, ...rows] = stdout.split("\n").slice(2);
  return [title!.replace(/^\S+Z {2}/, "").replace(/ in \d+\.\d s/, ""), ...rows.map((row) => row.trim())]
    .map((line) => line.replace(/ {2}\(\S+\/s\)$/, ""));
}

describe("examples/statsd_sink.ts --workers", () => {
  itUnless(
    Deno.build.os === "linux" ? null : "no steering here",
    "keeps each metric whole, in one Worker",
    async () => {
      const sink = await startExample("statsd_sink", { command: 1, args: ["--port", "0", "--once", "2600"] });
      await using _sink = sink;
      const [, port] = await sink.waitForLine(/^Listening on 127\.0\.0\.1 port (\d+); Ctrl-C stops$/);
      // A sender of its own for each: the hash of the addresses would spread a metric over the Workers.
      for (let letter = 0; letter < 26; letter++) {
        const name = String.fromCharCode(97 + letter);
        for (let round = 0; round < 10; round++) {
          const values = Array.from({ length: 5 }, (_, index) => `${name}.set:${index}|s`);
          await say(Number(port), ...values, ...Array.from({ length: 5 }, () => `${name}.load:+1|g`));
        }
      }
      const { code, stdout, report } = await sink.finished();
      assertEquals(code, 0, report);
      const rows = stdout.split("\n").slice(3).map((row) => row.trim().split(/\t| {2,}/));
      assertEquals(rows.length, 52);
      for (const [name, type, value] of rows) {
        assertEquals(value, type === "set" ? "5 different" : "50", name);
      }
    },
  );

  itUnless(Deno.build.os === "linux" ? null : "no steering here", "prints what it has on SIGINT", async () => {
    const sink = await startExample("statsd_sink", { command: 1, args: ["--port", "0"] });
    await using _sink = sink;
    const [, port] = await sink.waitForLine(/^Listening on 127\.0\.0\.1 port (\d+); Ctrl-C stops$/);
    await say(Number(port), "a:1|c", "b:2|c");
    const { stdout } = await sink.end("SIGINT");
    assertMatch(stdout, /a\tcounter\t1 .*\nb\tcounter\t2 /);
  });
});

describe("examples/statsd_sink.ts", () => {
  it("adds up counters with sampling rates", async () => {
    assertEquals(await collect("a:1|c", "a:2|c\nb:-5|c", "a:1|c|@0.1\n", "b:0.5|c|@.5"), [
      "datagrams: 4",
      "a\tcounter\t13",
      "b\tcounter\t-4",
    ]);
  });

  it("keeps the last value of a gauge, and adds signed values", async () => {
    assertEquals(await collect("load:3|g\nload:7.25|g", "load:+1.5|g", "load:-0.25|g", "other:-2|g"), [
      "datagrams: 4",
      "load\tgauge\t8.5",
      "other\tgauge\t-2",
    ]);
  });

  it("prints the range of timings, and counts the members of a set", async () => {
    assertEquals(await collect("query:10|ms\nquery:20|ms", "query:60|ms|@0.5", "users:a|s\nusers:b|s", "users:a|s"), [
      "datagrams: 4",
      "query\ttiming\t4 times, 10 / 37.5 / 60 ms",
      "users\tset\t2 different",
    ]);
  });

  it("counts invalid lines, and prints none of them", async () => {
    const bad = [
      "",
      "\n\n",
      "x",
      "x:1",
      "x:|c",
      "x:1|q",
      "x:one|c",
      "x:1|c|@0",
      "x:1|c|@2",
      "\x1b[31m:1|c",
      "x:1e999|g",
    ];
    assertEquals(await collect("good:1|c|#tag:value", ...bad), [
      "datagrams: 12, invalid lines: 9",
      "good\tcounter\t1",
    ]);
  });

  it("prints a table at every interval; gauges stay, and all else is reset", async () => {
    const { sink, port } = await startSink("--interval", "0.1");
    await using _sink = sink;
    await say(port, "hits:3|c\nload:5|g");
    await sink.waitForLine(/^hits\tcounter\t3 {2}\([\d.]+\/s\)$/);
    await sink.waitForLine(/^load\tgauge\t5$/);
    await sink.waitForLine(/datagrams: 0 in 0\.\d s$/);
    await sink.waitForLine(/^load\tgauge\t5$/);
    await say(port, "load:+1|g");
    await sink.waitForLine(/datagrams: 1 in 0\.\d s$/);
    await sink.waitForLine(/^load\tgauge\t6$/);
  });

  it("prints the last table on Ctrl-C", async () => {
    const { sink } = await startSink("--interval", "3600");
    await using _sink = sink;
    const { code, stdout, report } = await sink.end("SIGINT");
    assertEquals(code, 0, report);
    assertMatch(stdout, /^\S+Z {2}datagrams: 0 in \d+\.\d s$/m);
  });

  it("receives no more than the given number", async () => {
    const { sink, port } = await startSink("--once", "1000");
    await using _sink = sink;
    for (let sent = 0; sent < 3000; sent += 100) await say(port, ...Array.from({ length: 100 }, () => "hits:1|c"));
    const { stdout, report } = await sink.finished();
    assertMatch(stdout, /datagrams: 1000 in /, report);
    assertMatch(stdout, /^hits\tcounter\t1000 /m, report);
  });

  itUnless(noPython, "works with a client in Python", async () => {
    const { sink, port } = await startSink("--once", "2");
    await using _sink = sink;
    const program = "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); " +
      `[s.sendto(m, ("127.0.0.1", ${port})) for m in (b"logins:1|c", b"logins:1|c|@0.1\\nload:0.7|g")]`;
    const sent = await run("python3", ["-c", program]);
    assert(sent.success, sent.report);
    const { stdout, report } = await sink.finished();
    assertMatch(stdout, /^logins\tcounter\t11 /m, report);
    assertMatch(stdout, /^load\tgauge\t0\.7$/m, report);
  });

  itUnless(noNetcat, "receives from nc, as in its header", async () => {
    const { sink, port } = await startSink("--once", "1");
    await using _sink = sink;
    await using nc = start("nc", ["-u", "-w", "1", "127.0.0.1", String(port)], { stdin: true });
    await nc.write("logins:1|c\n");
    const { stdout, report } = await sink.finished();
    assertMatch(stdout, /^logins\tcounter\t1 /m, report);
  });

  it("prints one line if the port is in use", async () => {
    using holder = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
    const { port } = holder.addr;
    const { code, stderr, report } = await runExample("statsd_sink", "--port", String(port));
    assertEquals(code, 1, report);
    assertMatch(stderr, new RegExp(`^statsd_sink: bind 127\\.0\\.0\\.1:${port}: address already in use .*$`));
  });
});

describe("The command line of examples/statsd_sink.ts", () => {
  it("prints all options on --help", async () => {
    const { success, stdout, report } = await runExample("statsd_sink", "--help");
    assert(success, report);
    for (const option of ["interval", "once", "workers", "host", "port", "help"]) {
      assertStringIncludes(stdout, `--${option} `);
    }
  });

  it("needs permission for loopback only", async () => {
    const command = ["run", "--allow-ffi", "--allow-net=127.0.0.1", "examples/statsd_sink.ts"];
    const workers = [...command.slice(0, -1), "--allow-read=examples,ffi,mod.ts", command.at(-1)!, "--workers", "2"];
    assertEquals(await printedCommands("statsd_sink"), [command, workers]);
  });

  const mistakes: [args: string[], line: RegExp][] = [
    [["--bogus"], /^unknown option --bogus; see --help$/],
    [["--interval", "0"], /^--interval 0: expected 0\.1 to 3600$/],
    [["--once", "0"], /^--once 0: expected a whole number from 1 to 1000000000$/],
    [["--port", "65536"], /^--port 65536: expected a whole number from 0 to 65535$/],
    [["--host", "192.0.2.55"], /^Requires net access to "192\.0\.2\.55:8125", .*--allow-net flag$/],
  ];
  for (const [args, line] of mistakes) {
    it(`prints one line for ${args.join(" ")}`, async () => {
      const { code, stdout, stderr, report } = await runExample("statsd_sink", ...args);
      assertEquals(code, 1, report);
      assertEquals(stdout, "");
      assertMatch(stderr, /^statsd_sink: .*$/);
      assertMatch(stderr.replace("statsd_sink: ", ""), line);
    });
  }
});
