/**
 * Shows what this module can do, on loopback only. Every claim is checked; the exit status is 0 only if all checks pass.
 *
 *     deno task demo
 *     deno run --allow-ffi --allow-net=127.0.0.1,239.255.255.250,unix:/tmp/berkeley-demo.sock --allow-read=/tmp/berkeley-demo.sock --allow-write=/tmp/berkeley-demo.sock examples/demo.ts
 *
 * @module
 */
import type { Check } from "./demo/check.ts";
import { cancelDials, listenAndDial } from "./demo/tcp.ts";
import { fail, parseArgs, unknownArgument } from "./arguments.ts";
import { onStop } from "./signals.ts";
import { distributeLoad, sharePort } from "./demo/udp.ts";
import { listenAtPath, passDescriptors } from "./demo/unix.ts";

const HELP = `Shows all three kinds of sockets on loopback and checks every claim, in a few seconds.

  --help  show this text

The exit status is 0 only if all checks pass.`;

const PARTS: readonly (readonly [title: string, run: () => Promise<Check[]>])[] = [
  ["UDP: two sockets share a port", sharePort],
  ["UDP: four sockets share the load", distributeLoad],
  ["TCP: a listener and a connection", listenAndDial],
  ["TCP: cancelled dials", cancelDials],
  ["Unix: a server at a path", listenAtPath],
  ["Unix: messages, descriptors and credentials", passDescriptors],
];

/** Time limit of the whole demo, in milliseconds. Every wait in the parts is shorter. */
const LIMIT = 9000;

const coloured = Deno.stdout.isTerminal() && !Deno.noColor;
const paint = (code: number) => (text: string) => coloured ? `\x1b[${code}m${text}\x1b[0m` : text;
const [bold, dim, red, green] = [paint(1), paint(2), paint(31), paint(32)];

/** Runs one part. An exception counts as a failed check. */
async function runPart(run: () => Promise<Check[]>): Promise<Check[]> {
  try {
    return await run();
  } catch (error) {
    return [{ claim: "The part runs to its end", passed: false, details: [String(error)] }];
  }
}

/** Runs all parts and prints their checks. */
async function runParts(): Promise<Check[]> {
  const checks: Check[] = [];
  for (const [title, run] of PARTS) {
    console.log(`\n${bold(title)}`);
    for (const check of await runPart(run)) {
      checks.push(check);
      console.log(`  ${check.passed ? green("✓") : red("✗")} ${check.claim}`);
      for (const line of check.details ?? []) console.log(dim(`      ${line}`));
    }
  }
  return checks;
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, { boolean: ["help"], unknown: unknownArgument });
  if (args.help) return console.log(HELP);
  const started = performance.now();
  Deno.unrefTimer(setTimeout(() => {
    console.log(red(`Not finished after ${LIMIT / 1000} s`));
    Deno.exit(1);
  }, LIMIT));

  using _stopping = onStop(() => Deno.exit(1));

  console.log(bold("Berkeley: sockets for Deno, straight from libc"));
  const checks = await runParts();
  const failed = checks.filter(({ passed }) => !passed).length;
  const seconds = ((performance.now() - started) / 1000).toFixed(2);
  console.log();
  if (failed === 0) console.log(green(`All ${checks.length} checks passed on loopback in ${seconds} s`));
  else console.log(red(`${failed} of ${checks.length} checks failed on loopback after ${seconds} s`));
  Deno.exitCode = failed === 0 ? 0 : 1;
}

try {
  await main();
} catch (error) {
  fail("demo", error);
}
