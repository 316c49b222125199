/**
 * Sends from a Worker, whose permissions are those of the program, and revokes from the main thread: prints "sent", then
 * what sending said once the Worker had noticed, or "never" where it did not.
 *
 * @module
 */
import { listenDatagram } from "../../../mod.ts";

/** Tries, and milliseconds between them: far more than it takes. */
const TRIES = 1000;
const PAUSE = 5;

declare const self: { name: string; onmessage: (() => void) | null; postMessage(message: string): void };

async function sends(): Promise<string> {
  using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
  const to = { transport: "udp", hostname: "127.0.0.1", port: 47_817 } as const;
  await udp.send(new Uint8Array(1), to);
  self.postMessage("sent");
  await new Promise<void>((resolve) => self.onmessage = resolve);
  for (let tries = 0; tries < TRIES; tries++) {
    try {
      await udp.send(new Uint8Array(1), to);
    } catch (error) {
      return (error as Error).name;
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
  return "never";
}

if (self.name === "sender") {
  self.postMessage(await sends());
} else {
  const worker = new Worker(import.meta.url, { type: "module", name: "sender" });
  const messages = new ReadableStream<string>({
    start(controller) {
      worker.onmessage = ({ data }) => controller.enqueue(data);
    },
  }).getReader();
  console.log((await messages.read()).value);
  Deno.permissions.revokeSync({ name: "net" });
  worker.postMessage("revoked");
  console.log((await messages.read()).value);
  worker.terminate();
}
