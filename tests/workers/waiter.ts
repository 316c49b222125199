/**
 * A Worker of terminating.ts: waits for something that does not come.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { connect, listen } from "../../mod.ts";

/** What a Worker waits for, and the address of a peer that never sends it. */
export interface Waiting {
  what: string;
  port: number;
}

/** What can be waited for. Each begins to and returns. */
const WAYS: Readonly<Record<string, (port: number) => void | Promise<void>>> = {
  accept() {
    const listener = listen({ hostname: "127.0.0.1", port: 0 });
    listener.accept();
    listener.accept();
  },
  async read(port) {
    const conn = await connect({ hostname: "127.0.0.1", port });
    conn.read(new Uint8Array(64));
    conn.read(new Uint8Array(64));
  },
  async write(port) {
    const conn = await connect({ hostname: "127.0.0.1", port });
    // More than the peer's buffers hold, who reads nothing.
    conn.write(new Uint8Array(64 << 20));
  },
  async everything(port) {
    await WAYS.accept!(port);
    const conn = await connect({ hostname: "127.0.0.1", port });
    conn.write(new Uint8Array(64 << 20));
    conn.read(new Uint8Array(64));
  },
};

self.onmessage = async ({ data: { what, port } }: MessageEvent<Waiting>) => {
  await WAYS[what]!(port);
  self.postMessage("waits");
};
