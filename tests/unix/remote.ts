/**
 * Unix sockets in another process, such as one of another user, or one that is killed.
 *
 * @module
 */
import { type Child, type Finished, startDeno } from "../support/process.ts";
import type { Methods } from "./programs/remote.ts";

const PROGRAM = new URL("./programs/remote.ts", import.meta.url);

/** What a call there failed with. */
export class RemoteError extends Error {
  override readonly name: string;
  readonly code: string | undefined;

  constructor({ name, message, code }: { name: string; message: string; code?: string }) {
    super(message);
    this.name = name;
    this.code = code;
  }
}

/** The other process, by what programs/remote.ts understands; `await using` ends it. */
export class Remote implements AsyncDisposable {
  readonly #child: Child;

  private constructor(child: Child) {
    this.#child = child;
  }

  /** Starts one, as another user where asked. */
  static async start(uid?: number): Promise<Remote> {
    const remote = new Remote(startDeno(PROGRAM, { stdin: true }));
    await remote.#child.waitForLine(/^ready$/);
    if (uid !== undefined) await remote.call("become", uid);
    return remote;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Calls one of its methods. */
  async call<M extends keyof Methods>(
    method: M,
    ...args: Parameters<Methods[M]>
  ): Promise<Awaited<ReturnType<Methods[M]>>> {
    await this.#child.write(`${JSON.stringify([method, ...args])}\n`);
    const [line] = await this.#child.waitForLine(/^\{.*\}$/);
    const { value, error } = JSON.parse(line);
    if (error !== undefined) throw new RemoteError(error);
    return value;
  }

  /** The same, giving an error as "Name: message". */
  async outcome<M extends keyof Methods>(method: M, ...args: Parameters<Methods[M]>): Promise<unknown> {
    try {
      return await this.call(method, ...args);
    } catch (error) {
      if (error instanceof RemoteError) return `${error.name}: ${error.message}`;
      throw error;
    }
  }

  /** Kills it in the middle of whatever it does. */
  kill(): Promise<Finished> {
    return this.#child.end("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }
}
