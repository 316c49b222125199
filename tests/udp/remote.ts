/**
 * A UDP socket in another process, such as one in a network namespace.
 *
 * @module
 */
import type { UdpListenOptions } from "../../mod.ts";
import type { Namespace } from "../support/namespaces.ts";
import type { Child } from "../support/process.ts";
import type { Methods } from "./programs/remote.ts";

const PROGRAM = new URL("./programs/remote.ts", import.meta.url).pathname;

/** The socket, by what programs/remote.ts understands; `await using` ends its process. */
export class RemoteUdp implements AsyncDisposable {
  readonly #child: Child;

  private constructor(child: Child) {
    this.#child = child;
  }

  /** Opens one in a namespace. */
  static async open(namespace: Namespace, options: Partial<UdpListenOptions>): Promise<RemoteUdp> {
    const args = ["run", "-A", "--no-prompt", PROGRAM, JSON.stringify(options)];
    const remote = new RemoteUdp(namespace.start(Deno.execPath(), args, { stdin: true }));
    await remote.#child.waitForLine(/^ready$/);
    return remote;
  }

  /** Calls one of its methods. */
  async call<M extends keyof Methods>(
    method: M,
    ...args: Parameters<Methods[M]>
  ): Promise<Awaited<ReturnType<Methods[M]>>> {
    await this.#child.write(`${JSON.stringify([method, ...args])}\n`);
    const [line] = await this.#child.waitForLine(/^\{.*\}$/);
    const { value, error } = JSON.parse(line);
    if (error !== undefined) throw new Error(error);
    return value;
  }

  /** What comes before the datagram "marker". */
  async receiveUntilMarker(): Promise<string[]> {
    const received: string[] = [];
    for (let [one] = await this.call("receiveText"); one !== "marker"; [one] = await this.call("receiveText")) {
      received.push(one);
    }
    return received;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }
}
