/**
 * A copy of the tree in which one change after another is tried.
 *
 * @module
 */

const ROOT = new URL("../../", import.meta.url).pathname;

/** How long a test may take here, where many changes make one wait for ever: tests/support/timeout.ts gives it longer. */
const TEST_MS = "20_000";

/** What the tests of a change may take beyond twice their time: after that the change is taken to have stopped them. */
const GRACE_MS = 20_000;

/** The longest that the check of the types may take. */
const CHECK_MS = 120_000;

export type Outcome = "noticed" | "survived" | "does not compile";

/** One copy of the repository's files, removed when it is disposed of. */
export class Trial implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async open(): Promise<Trial> {
    const folder = await Deno.makeTempDir({ prefix: "berkeley-mutate-" });
    for (const { name } of Deno.readDirSync(ROOT)) {
      if (name === ".git") continue;
      const { success, stderr } = await new Deno.Command("cp", { args: ["-r", `${ROOT}${name}`, folder] }).output();
      if (!success) throw new Error(new TextDecoder().decode(stderr));
    }
    const timeout = `${folder}/tests/support/timeout.ts`;
    const text = await Deno.readTextFile(timeout);
    await Deno.writeTextFile(timeout, text.replace("60_000", TEST_MS));
    return new Trial(folder);
  }

  /** Tries a changed file: the types first, then the tests in order until one fails; `usual` is what they take in ms. */
  async run(path: string, text: string, tests: readonly string[], usual: number): Promise<Outcome> {
    const file = `${this.folder}/${path}`;
    const original = await Deno.readTextFile(file);
    try {
      await Deno.writeTextFile(file, text);
      if (!await this.#deno(["check", "mod.ts"], CHECK_MS)) return "does not compile";
      if (tests.length === 0) return "survived";
      const preload = "--preload=./tests/support/warm_up.ts";
      const flags = ["test", "-A", "--no-check", "--fail-fast", "--reporter=dot", preload];
      return await this.#deno([...flags, ...tests], 2 * usual + GRACE_MS) ? "survived" : "noticed";
    } finally {
      await Deno.writeTextFile(file, original);
    }
  }

  async #deno(args: string[], limit: number): Promise<boolean> {
    const signal = AbortSignal.timeout(limit);
    const options = { args, cwd: this.folder, stdin: "null", stdout: "null", stderr: "null", signal } as const;
    return (await new Deno.Command(Deno.execPath(), options).output()).success;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}
