import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { listenDatagram } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { type Child, type Finished, start } from "../support/process.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import { printedCommands } from "./support.ts";
import { exists, startAt, temporaryFolder } from "./unix_support.ts";

noDescriptorLeaks();

const noSocat = await missingCommands("socat");
const noRsyslog = await missingCommands("rsyslogd");

/** The command that a machine without a log daemon can run too. */
const ELSEWHERE = 1;

async function runExample(path: string, ...args: string[]): Promise<Finished> {
  const child = await startAt(path, "syslog", { command: ELSEWHERE, args });
  return await child.finished();
}

/** Prints what is sent to a path. */
async function startListener(path: string): Promise<Child> {
  const listener = start("socat", ["-d", "-d", "-u", `UNIX-RECV:${path}`, "-"]);
  await listener.waitForLine(/starting data transfer loop/, "stderr");
  return listener;
}

/** Logs, and gives what the listener has printed for it. A message has no end of its own: a line break is sent behind it. */
async function logged(listener: Child, path: string, ...args: string[]): Promise<string> {
  const { success, stdout, report } = await runExample(path, ...args);
  assert(success, report);
  assertEquals(stdout, "");
  using socket = listenDatagram({ transport: "unixgram" });
  await socket.send(new TextEncoder().encode("\n"), { transport: "unixpacket", path });
  const [line] = await listener.waitForLine(/^.*$/);
  return line;
}

/** A log daemon that listens at a path and writes what it understood to a file, as lines of facility, severity, tag and message. */
async function startDaemon(folder: string, path: string, file: string): Promise<Child> {
  const fields = ["syslogfacility-text", "syslogseverity-text", "syslogtag", "msg:::drop-last-lf"];
  const template = fields.map((field) => `%${field}%`).join("|");
  const configuration = [
    `module(load="imuxsock" SysSock.Use="off")`,
    `input(type="imuxsock" Socket="${path}" UseSpecialParser="off" ParseHostname="off" RateLimit.Interval="0")`,
    `template(name="fields" type="string" string="${template}\\n")`,
    `action(type="omfile" file="${file}" template="fields")`,
  ];
  await Deno.writeTextFile(`${folder}/rsyslog.conf`, configuration.join("\n") + "\n");
  return start("rsyslogd", ["-n", "-f", `${folder}/rsyslog.conf`, "-i", `${folder}/pid`]);
}

/** Looks again and again, for a program that does not say when it has done something. */
async function until(done: () => Promise<boolean>, program: Child): Promise<void> {
  for (const limit = Date.now() + 60_000; !await done();) {
    if (Date.now() > limit) throw new Error(`It took too long\n${program.report()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** What the daemon understood of our messages, a line each. */
async function understood(file: string): Promise<string[]> {
  if (!await exists(file)) return [];
  return (await Deno.readTextFile(file)).split("\n").filter((line) => line.includes("hello there"));
}

describe("examples/syslog.ts", () => {
  itUnless(noSocat, "writes the format of the C library by default", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/log`;
    await using listener = await startListener(path);
    const line = await logged(listener, path, "again", "007");
    // user (1) times 8 and notice (5); the day has two places.
    assertMatch(line, /^<13>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d berkeley\[\d+\]: hello again 007$/);
    const [, month, day] = line.match(/>(\w+) +(\d+) /) ?? [];
    const now = new Date();
    const near = [-60_000, 0].map((ago) => new Date(now.getTime() + ago).toString().split(" ", 3).slice(1));
    assert(near.some(([m, d]) => m === month && Number(d) === Number(day)), line);
  });

  itUnless(noSocat, "writes the format of RFC 5424 with the given facility, severity and tag", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/log`;
    await using listener = await startListener(path);
    const options = ["--rfc", "5424", "--facility", "local7", "--severity", "err", "--tag", "shop"];
    const line = await logged(listener, path, ...options, "grüß dich");
    const [, time] = line.match(/^<187>1 (\S+Z) - shop \d+ - - hello grüß dich$/) ?? [];
    assert(time !== undefined, line);
    assert(Math.abs(Date.now() - Date.parse(time)) < 60_000, line);
  });

  itUnless(noSocat, "does not let a message start another entry", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/log`;
    await using listener = await startListener(path);
    const line = await logged(listener, path, "one\n<0>Jan  1 00:00:00 kernel: two\x07");
    assertMatch(line, /: hello one <0>Jan {2}1 00:00:00 kernel: two $/);
  });

  itUnless(noRsyslog, "is parsed by rsyslog in both formats", async () => {
    await using folder = await temporaryFolder();
    const [path, file] = [`${folder.path}/log`, `${folder.path}/written`];
    await using daemon = await startDaemon(folder.path, path, file);
    await until(() => exists(path), daemon);
    for (const rfc of ["3164", "5424"]) {
      const told = ["--rfc", rfc, "--facility", "daemon", "--severity", "crit", "there"];
      const { success, report } = await runExample(path, ...told);
      assert(success, report);
    }
    await until(async () => (await understood(file)).length === 2, daemon);
    for (const line of await understood(file)) assertMatch(line, /^daemon\|crit\|berkeley\[\d+\]:?\| ?hello there$/);
  });

  it("prints one line without a log daemon", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/log`;
    const { code, stderr, report } = await runExample(path);
    assertEquals(code, 1, report);
    const why = `sendmsg ${path}: no such file or directory (ENOENT)`;
    assertEquals(stderr, `syslog: ${why}; no log daemon is running; see --path`);
  });
});

describe("The command line of examples/syslog.ts", () => {
  it("prints all options on --help", async () => {
    const { success, stdout, report } = await runExample("/tmp/unused", "--help");
    assert(success, report);
    for (const option of ["path", "facility", "severity", "tag", "rfc", "help"]) {
      assertStringIncludes(stdout, `--${option} `);
    }
  });

  it("needs permission for the log's socket only", async () => {
    const command = (path: string, ...args: string[]) => {
      const grants = [`--allow-net=unix:${path}`, `--allow-read=${path}`, `--allow-write=${path}`];
      return ["run", "--allow-ffi", ...grants, "examples/syslog.ts", ...args, "hello"];
    };
    const other = "/tmp/berkeley-log.sock";
    assertEquals(await printedCommands("syslog"), [command("/dev/log"), command(other, "--path", other)]);
  });

  const mistakes: [args: string[], line: RegExp][] = [
    [["--bogus"], /^syslog: unknown option --bogus; see --help$/],
    [["--facility", "nobody"], /^syslog: --facility nobody: expected one of kern, .*local7$/],
    [["--severity", "worse"], /^syslog: --severity worse: expected one of emerg, .*debug$/],
    [["--rfc", "1149"], /^syslog: --rfc 1149: expected 3164 or 5424$/],
    [["--tag", "two words"], /^syslog: --tag two words: expected 1 to 48 printable ASCII characters without spaces$/],
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
