/**
 * MiniSSDPd in a network namespace, and what it knows, by its own protocol on a Unix socket.
 *
 * @module
 */
import type { Namespace } from "../support/namespaces.ts";
import type { Child } from "../support/process.ts";

/** A device or service that it knows. */
export interface Known {
  location: string;
  type: string;
  usn: string;
}

// The first byte of a request: what all devices are asked by, and what a service is registered by.
const ALL = 3;
const SUBMIT = 4;

export class MiniSsdpd implements AsyncDisposable {
  private constructor(private readonly folder: string, private readonly child: Child) {}

  static async start(namespace: Namespace): Promise<MiniSsdpd> {
    const folder = await Deno.makeTempDir({ prefix: "berkeley_minissdpd_" });
    const args = ["-d", "-6", "-i", namespace.interface, "-s", `${folder}/socket`, "-p", `${folder}/pid`];
    const daemon = new MiniSsdpd(folder, namespace.start("minissdpd", args));
    while (!await Deno.lstat(`${folder}/socket`).then(() => true, () => false)) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return daemon;
  }

  /** Registers a service, for which the daemon answers searches from then on. */
  async submit(type: string, usn: string, server: string, location: string): Promise<void> {
    await this.#request(SUBMIT, [type, usn, server, location], false);
  }

  /** What was announced and is remembered. */
  async known(): Promise<Known[]> {
    const [count = 0, ...rest] = await this.#request(ALL, ["ssdp:all"], true);
    const texts: string[] = [];
    for (let at = 0; texts.length < count * 3;) {
      const length = rest[at]!;
      texts.push(String.fromCharCode(...rest.slice(at + 1, at + 1 + length)));
      at += 1 + length;
    }
    return Array.from({ length: count }, (_, index) => {
      const [location, type, usn] = texts.slice(index * 3, index * 3 + 3);
      return { location: location!, type: type!, usn: usn! };
    });
  }

  async #request(kind: number, texts: readonly string[], answered: boolean): Promise<number[]> {
    using conn = await Deno.connect({ transport: "unix", path: `${this.folder}/socket` });
    const bytes = texts.flatMap((text) => [text.length, ...new TextEncoder().encode(text)]);
    await conn.write(Uint8Array.of(kind, ...bytes));
    if (!answered) return [];
    const buffer = new Uint8Array(8192);
    return [...buffer.subarray(0, await conn.read(buffer) ?? 0)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child.end();
    await Deno.remove(this.folder, { recursive: true });
  }
}
