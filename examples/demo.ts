/**
 * Shows what this module is for, on loopback only, and exits with 0 only if all that it shows is true.
 *
 *     deno task demo
 *     deno run --allow-ffi --allow-net=127.0.0.1,239.255.255.250,unix:/tmp/berkeley-demo.sock --allow-read=/tmp/berkeley-demo.sock --allow-write=/tmp/berkeley-demo.sock examples/demo.ts
 *
 * @module
 */
import type { Shown } from "./demo/shown.ts";
import { giveUpDials, listenAndDial } from "./demo/tcp.ts";
import { shareLoad, sharePort } from "./demo/udp.ts";
import { listenAtPath, passDescriptors } from "./demo/unix.ts";

const PARTS: readonly (readonly [title: string, show: () => Promise<Shown[]>])[] = [
  ["UDP: two sockets share a port", sharePort],
  ["UDP: four sockets share the load", shareLoad],
  ["TCP: a listener and a connection", listenAndDial],
  ["TCP: dials that are given up", giveUpDials],
  ["Unix: a server at a path", listenAtPath],
  ["Unix: messages, descriptors and who is there", passDescriptors],
];

/** Every wait in the parts is shorter. This is for a fault in what is being shown, in milliseconds. */
const LIMIT = 9000;

const coloured = Deno.stdout.isTerminal() && !Deno.noColor;
const paint = (code: number) => (text: string) => coloured ? `\x1b[${code}m${text}\x1b[0m` : text;
const [bold, dim, red, green] = [paint(1), paint(2), paint(31), paint(32)];

/** Runs one part; what it throws is something that did not turn out true. */
async function run(show: () => Promise<Shown[]>): Promise<Shown[]> {
  try {
    return await show();
  } catch (error) {
    return [{ what: "It could not be shown", true: false, seen: [String(error)] }];
  }
}

const started = performance.now();
Deno.unrefTimer(setTimeout(() => {
  console.log(red(`Not done after ${LIMIT / 1000} s: giving up`));
  Deno.exit(1);
}, LIMIT));

console.log(bold("Berkeley: sockets for Deno, straight from libc"));
const all: Shown[] = [];
for (const [title, show] of PARTS) {
  console.log(`\n${bold(title)}`);
  for (const shown of await run(show)) {
    all.push(shown);
    console.log(`  ${shown.true ? green("✓") : red("✗")} ${shown.what}`);
    for (const line of shown.seen ?? []) console.log(dim(`      ${line}`));
  }
}

const untrue = all.filter((shown) => !shown.true).length;
const seconds = ((performance.now() - started) / 1000).toFixed(2);
console.log();
if (untrue === 0) console.log(green(`All ${all.length} are true, shown on loopback in ${seconds} s`));
else console.log(red(`${untrue} of ${all.length} are not true, on loopback after ${seconds} s`));
Deno.exitCode = untrue === 0 ? 0 : 1;
