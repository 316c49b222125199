/**
 * Runs `deno test` with the dot reporter, which prints a character for each test and what failed, and adds what that
 * reporter leaves out: the name of each test that was ignored, which says why. Takes the arguments of `deno test`.
 *
 *     deno run -A tests/run.ts tests/udp --filter "receiveMany()"
 *
 * @module
 */

/** The packages of the tests have a lock of their own: the examples and the module need none. */
const LOCK = new URL("./deno.lock", import.meta.url).pathname;
const WARM_UP = new URL("./support/warm_up.ts", import.meta.url).pathname;

/** Names of the ignored tests in a report in JUnit's format, as Deno writes it. */
function ignoredTests(report: string): string[] {
  const ignored = report.matchAll(/<testcase name="([^"]*)"[^>]*>\s*<skipped\/>/g);
  return Array.from(ignored, ([, name]) => unescape(name!)).sort();
}

function unescape(text: string): string {
  const named: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
  return text.replaceAll(
    /&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi,
    (whole, hex, decimal, name) =>
      name === undefined ? String.fromCodePoint(hex ? parseInt(hex, 16) : Number(decimal)) : named[name] ?? whole,
  );
}

/** Passes lines on, those of one character without their end: Deno writes each dot on a line where there is no terminal. */
function joinDots(): TransformStream<string, string> {
  let rest = "";
  let inDots = false;
  return new TransformStream({
    transform(text, controller) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const isDot = /^[.,!]$/.test(line);
        controller.enqueue(isDot ? line : `${inDots ? "\n" : ""}${line}\n`);
        inDots = isDot;
      }
    },
    flush: (controller) => controller.enqueue(rest),
  });
}

async function runTests(reportPath: string): Promise<number> {
  const flags = ["-A", "--reporter=dot", `--junit-path=${reportPath}`, `--preload=${WARM_UP}`];
  if (!Deno.args.includes("--no-lock")) flags.push(`--lock=${LOCK}`, "--frozen");
  const command = new Deno.Command(Deno.execPath(), {
    args: ["test", ...flags, ...Deno.args],
    stdout: Deno.stdout.isTerminal() ? "inherit" : "piped",
    stderr: "inherit",
  });
  const child = command.spawn();
  if (!Deno.stdout.isTerminal()) {
    const output = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(joinDots());
    await output.pipeThrough(new TextEncoderStream()).pipeTo(Deno.stdout.writable, { preventClose: true });
  }
  return (await child.status).code;
}

const reportPath = await Deno.makeTempFile({ prefix: "berkeley-", suffix: ".xml" });
try {
  const code = await runTests(reportPath);
  const ignored = ignoredTests(await Deno.readTextFile(reportPath));
  if (ignored.length > 0) console.log(["Ignored:", ...ignored.map((name) => `  ${name}`)].join("\n"));
  Deno.exitCode = code;
} finally {
  await Deno.remove(reportPath);
}
