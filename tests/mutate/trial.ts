/**
 * A copy of the tree in which one change after another is tried.
 *
 * @module
 */

const ROOT = new URL("../../", import.meta.url).pathname;

/** The longest that the tests of a change may take: beyond it the change is taken to have stopped them. */
const LIMIT_MS = 180_000;

/** The folders of tests that are about a room of ffi/, and have to notice a change there. */
const TESTS: Readonly<Record<string, readonly string[]>> = {
  address: ["address", "errors", "tcp"],
  interface: ["interface"],
  io: ["io", "socket", "memory", "tcp", "udp", "unix"],
  libc: ["libc", "layout", "errors", "io"],
  option: ["option", "errors", "memory"],
  poll: ["poll", "io", "workers"],
  socket: ["socket", "tcp", "surface", "unix"],
  struct: ["struct", "udp"],
  tcp: ["tcp", "surface", "errors"],
  udp: ["udp", "memory", "errors"],
  unix: ["unix", "memory", "errors"],
  validate: ["validate", "errors", "surface", "memory"],
  "": ["surface", "tcp", "unix", "udp", "errors"],
};

export type Outcome = "noticed" | "survived" | "does not compile";

function testsOf(path: string): string[] {
  const [, room = ""] = /^ffi\/(\w+)\//.exec(path) ?? [];
  return (TESTS[room] ?? TESTS[""]!).map((folder) => `tests/${folder}`);
}

/** One copy of the repository's files, removed when it is disposed of. */
export class Trial implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async open(): Promise<Trial> {
    const folder = await Deno.makeTempDir({ prefix: "berkeley-mutate-" });
    const copied = await new Deno.Command("cp", { args: ["-r", `${ROOT}.`, folder] }).output();
    if (!copied.success) throw new Error(new TextDecoder().decode(copied.stderr));
    return new Trial(folder);
  }

  /** Tries a changed file: the types first, then the tests of its part until one fails. */
  async run(path: string, text: string): Promise<Outcome> {
    const file = `${this.#folder}/${path}`;
    const original = await Deno.readTextFile(file);
    try {
      await Deno.writeTextFile(file, text);
      if (!await this.#deno(["check", "mod.ts"])) return "does not compile";
      const preload = "--preload=./tests/support/warm_up.ts";
      const flags = ["test", "-A", "--no-check", "--fail-fast", "--reporter=dot", preload];
      return await this.#deno([...flags, ...testsOf(path)]) ? "survived" : "noticed";
    } finally {
      await Deno.writeTextFile(file, original);
    }
  }

  async #deno(args: string[]): Promise<boolean> {
    const signal = AbortSignal.timeout(LIMIT_MS);
    const options = { args, cwd: this.#folder, stdin: "null", stdout: "null", stderr: "null", signal } as const;
    return (await new Deno.Command(Deno.execPath(), options).output()).success;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}
