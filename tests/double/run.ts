/**
 * Runs tests over a double: another system's table, and a C library with that system's ABI and habits over this kernel.
 * Each test that asks for what the other system lacks is ignored, with the reason.
 *
 *     deno run -A tests/double/run.ts macos
 *     deno run -A tests/double/run.ts freebsd tests/udp --filter "receiveMany()"
 *
 * @module
 */
import { commandExists, run } from "../support/process.ts";

/** What `BERKELEY_SYSTEM` is for each double, and what the compiler is told. */
const DOUBLES: Readonly<Record<string, { system: string; flags: readonly string[] }>> = {
  macos: { system: "macos_x86_64", flags: [] },
  freebsd: { system: "freebsd", flags: ["-DFREEBSD=1"] },
};

const TESTS = ["double", "poll", "socket", "tcp", "udp", "unix"].map((folder) => `tests/${folder}`);

const FLAGS = [
  ..."-Wall -Wextra -Werror -O1 -fPIC -shared -fvisibility=hidden -fno-builtin".split(" "),
  // Without the C library behind it: what the other system has not got is not found. Its own functions before those of
  // the same names; and it stays, since a thread may be in kevent(2) when Deno closes it.
  ..."-nostdlib -Wl,-Bsymbolic -Wl,-z,nodelete".split(" "),
];

/** Why none can be built here, or null. */
async function whyNot(): Promise<string | null> {
  if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") return "it is written for Linux on x86_64";
  return await commandExists("gcc") ? null : "not installed: gcc";
}

async function build(library: string, flags: readonly string[]): Promise<void> {
  const folder = new URL(".", import.meta.url).pathname;
  const sources = Array.from(Deno.readDirSync(folder), ({ name }) => name).filter((name) => name.endsWith(".c"));
  const args = [...FLAGS, ...flags, "-o", library, ...sources.sort().map((name) => folder + name)];
  const { success, report } = await run("gcc", args);
  if (!success) throw new Error(report);
}

async function runTests(library: string, system: string, args: readonly string[]): Promise<number> {
  const runner = new URL("../run.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", runner, ...args],
    env: { BERKELEY_SYSTEM: system, BERKELEY_LIBC: library },
  });
  return (await child.spawn().status).code;
}

const [name = "", ...args] = Deno.args;
const double = Object.hasOwn(DOUBLES, name) ? DOUBLES[name] : undefined;
if (double === undefined) {
  console.error(`Unknown double: "${name}", expected one of ${Object.keys(DOUBLES).join(", ")}`);
  Deno.exit(2);
}
const reason = await whyNot();
if (reason !== null) {
  console.log(`The double of ${name} is skipped: ${reason}`);
  Deno.exit(0);
}
const folder = await Deno.makeTempDir({ prefix: "berkeley-" });
// Programs of other users, which some tests start, open the library too.
await Deno.chmod(folder, 0o755);
try {
  // Tests become other users.
  await Deno.chmod(folder, 0o755);
  await build(`${folder}/${name}.so`, double.flags);
  Deno.exitCode = await runTests(`${folder}/${name}.so`, double.system, args.length > 0 ? args : TESTS);
} finally {
  await Deno.remove(folder, { recursive: true });
}
