/**
 * Child processes of tests: started, read line by line, and ended by their own id. What a child wrote is in every
 * failure message.
 *
 * Start programs directly and not through a shell: a shell's children outlive it and hold its pipes.
 *
 * @module
 */
import { Lines } from "./lines.ts";
import { TIMEOUT_MS } from "./timeout.ts";

/** How a child is started. */
export interface StartOptions {
  /** Variables added to those of this process. */
  env?: Record<string, string>;
  /** Leaves out the variables of this process. */
  clearEnv?: boolean;
  /** Working directory. */
  cwd?: string | URL;
  /** Keeps standard input open for `write()`. */
  stdin?: boolean;
}

/** How a Deno script is started. */
export interface DenoOptions extends StartOptions {
  /** Flags of `deno run`. Default: `-A`. */
  flags?: readonly string[];
  /** Arguments of the script. */
  args?: readonly string[];
}

/** A child that has ended. */
export interface Finished {
  /** Exit status; 128 and the signal's number where a signal ended it. */
  code: number;
  /** The signal that ended it. */
  signal: Deno.Signal | null;
  /** Whether it exited with 0. */
  success: boolean;
  /** All it wrote to standard output. */
  stdout: string;
  /** All it wrote to standard error. */
  stderr: string;
  /** All of this in words, for failure messages. */
  report: string;
}

/** A running child; `await using` kills it at the end of the block. */
export class Child implements AsyncDisposable {
  /** Its lines on standard output. */
  readonly stdout: Lines;
  /** Its lines on standard error. */
  readonly stderr: Lines;
  readonly #process: Deno.ChildProcess;
  readonly #command: string;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>> | null;
  #status: Deno.CommandStatus | null = null;

  constructor(command: string, args: readonly string[], options: StartOptions) {
    const { stdin = false, env = {}, ...rest } = options;
    this.#command = [command, ...args].join(" ");
    this.#process = new Deno.Command(command, {
      ...rest,
      args: [...args],
      env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", ...env },
      stdin: stdin ? "piped" : "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.stdout = new Lines(this.#process.stdout);
    this.stderr = new Lines(this.#process.stderr);
    this.#input = stdin ? this.#process.stdin.getWriter() : null;
  }

  /** Its process id. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Waits for a line that matches, and fails with all that was written when the child ends without it. */
  async waitForLine(pattern: RegExp, from: "stdout" | "stderr" = "stdout"): Promise<RegExpMatchArray> {
    const late = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => late.resolve(undefined), TIMEOUT_MS);
    try {
      const match = await Promise.race([this[from].find(pattern), late.promise]);
      if (match !== undefined) return match;
    } finally {
      clearTimeout(timer);
    }
    throw new Error(`No line on ${from} matched ${pattern}\n${this.report()}`);
  }

  /** Writes to its standard input. */
  async write(text: string): Promise<void> {
    await this.#writer().write(new TextEncoder().encode(text));
  }

  /** Ends its standard input. */
  async closeInput(): Promise<void> {
    await this.#writer().close();
  }

  /** Sends a signal; nothing happens where the child has ended already. */
  kill(signal: Deno.Signal = "SIGTERM"): void {
    if (this.#status !== null) return;
    try {
      this.#process.kill(signal);
    } catch (error) {
      // Ended, and not yet waited for.
      if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** Waits until it has ended by itself and all it wrote is read. */
  async finished(): Promise<Finished> {
    const [status] = await Promise.all([this.#process.status, this.stdout.ended, this.stderr.ended]);
    this.#status = status;
    // Closed already by the test, or broken because the child went first: neither is a failure.
    await this.#input?.close().catch(() => {});
    return { ...status, stdout: this.stdout.text, stderr: this.stderr.text, report: this.report() };
  }

  /** Sends a signal and waits for its end. */
  async end(signal: Deno.Signal = "SIGTERM"): Promise<Finished> {
    this.kill(signal);
    return await this.finished();
  }

  /** What it is and what it has written so far, for failure messages. */
  report(): string {
    const state = this.#status === null ? "is running" : `ended with ${this.#status.signal ?? this.#status.code}`;
    return [`${this.#command} (pid ${this.pid}) ${state}`, "stdout:", this.stdout.text, "stderr:", this.stderr.text]
      .join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGKILL");
  }

  #writer(): WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>> {
    if (this.#input === null) throw new TypeError(`"${this.#command}" was started without stdin`);
    return this.#input;
  }
}

/** Starts a command. */
export function start(command: string, args: readonly string[] = [], options: StartOptions = {}): Child {
  return new Child(command, args, options);
}

/** Starts a script with the Deno that runs the tests, which need not be on the path. */
export function startDeno(script: string | URL, options: DenoOptions = {}): Child {
  const { flags = ["-A"], args = [], ...rest } = options;
  return start(Deno.execPath(), ["run", "--no-prompt", ...flags, String(script), ...args], rest);
}

/** Runs a command to its end, with `input` on its standard input. */
export async function run(
  command: string,
  args: readonly string[] = [],
  options: Omit<StartOptions, "stdin"> & { input?: string } = {},
): Promise<Finished> {
  const { input, ...rest } = options;
  const child = start(command, args, { ...rest, stdin: input !== undefined });
  if (input !== undefined) {
    await child.write(input);
    await child.closeInput();
  }
  return await child.finished();
}

/** Whether the path has a program of that name. */
export async function commandExists(name: string): Promise<boolean> {
  const folders = (Deno.env.get("PATH") ?? "").split(":").filter((folder) => folder !== "");
  const found = await Promise.all(folders.map((folder) => isProgram(`${folder}/${name}`)));
  return found.includes(true);
}

async function isProgram(path: string): Promise<boolean> {
  try {
    const { isFile, mode } = await Deno.stat(path);
    return isFile && ((mode ?? 0) & 0o111) !== 0;
  } catch {
    return false;
  }
}
