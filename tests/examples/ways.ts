/**
 * The two ways to start a program of the examples by the command in its header: from a clone, and from a URL in a folder
 * that has nothing of the repository.
 *
 * @module
 */
import { FileServer } from "../support/file_server.ts";
import { type Child, start, type StartOptions } from "../support/process.ts";
import { ROOT } from "../support/repository.ts";
import { printedLines } from "./support.ts";

/** How an example is started. */
export interface WayOptions extends Omit<StartOptions, "cwd"> {
  /** Which of the commands in the header, counted from 0. */
  command?: number;
  /** Added to the printed arguments. */
  args?: readonly string[];
  /** What stands in the place of printed texts, such as ports and paths, so that no two runs meet. */
  instead?: Readonly<Record<string, string>>;
}

/** The folder of the Deno that runs the tests, which need not be on the path of programs that start `deno`. */
const DENO_FOLDER = Deno.execPath().replace(/\/[^/]*$/, "");

/** One of the two ways; `await using`. */
export class Way implements AsyncDisposable {
  private constructor(
    readonly name: "path" | "URL",
    private readonly folder: string,
    private readonly server: FileServer | null,
  ) {}

  /** From the root of the repository. */
  static byPath(): Way {
    return new Way("path", ROOT.pathname, null);
  }

  /** From a web server, with a cache of its own. */
  static async byUrl(): Promise<Way> {
    return new Way("URL", await Deno.makeTempDir({ prefix: "berkeley-" }), new FileServer());
  }

  /** Starts an example. */
  async start(example: string, options: WayOptions = {}): Promise<Child> {
    const { command = 0, args = [], instead = {}, env = {}, ...rest } = options;
    const words = (await printedLines(example))[command]!.map((word) => this.#word(word, example, instead));
    const [first, ...others] = [...words, ...args];
    // systemd-socket-activate hands on no other variables; without this one Deno would look elsewhere for its cache.
    if (first === "systemd-socket-activate") others.unshift("-E", "DENO_DIR");
    const variables = { PATH: `${DENO_FOLDER}:${Deno.env.get("PATH")}`, ...this.#cache, ...env };
    return start(first!, others, { ...rest, cwd: this.folder, env: variables });
  }

  /** Makes sure that a file of the repository is in the folder where the examples run. */
  async bring(file: string): Promise<void> {
    if (this.server !== null) await Deno.copyFile(new URL(file, ROOT), `${this.folder}/${file}`);
  }

  get #cache(): Record<string, string> {
    const own = Deno.env.get("DENO_DIR");
    if (this.server === null) return own === undefined ? {} : { DENO_DIR: own };
    return { DENO_DIR: `${this.folder}/cache` };
  }

  #word(word: string, example: string, instead: Readonly<Record<string, string>>): string {
    if (word === "deno") return Deno.execPath();
    if (word === `examples/${example}.ts`) return this.server?.url(word) ?? word;
    return Object.entries(instead).reduce((text, [printed, own]) => text.replaceAll(printed, own), word);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.server === null) return;
    await this.server[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}
