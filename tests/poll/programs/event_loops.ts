/**
 * Finds the epoll(7) of this thread's event loop, on the main thread and in two Workers, and prints for each whether it
 * becomes readable when something happens to a socket of that thread's runtime, and which it is.
 *
 * @module
 */
/// <reference lib="deno.worker" />

import { libc } from "../../../ffi/libc/libc.ts";
import { EventLoopSearch } from "../../../ffi/poll/event_loop.ts";
import { Epoll } from "../../../ffi/poll/epoll.ts";
import { LOOP_SLOT } from "../../../ffi/poll/poller.ts";
import { pause } from "../../support/promises.ts";

interface Finding {
  fd: number | null;
  quiet: number;
  readable: boolean;
}

async function find(): Promise<Finding> {
  const search = new EventLoopSearch(libc());
  let fd: number | null = null;
  while (!search.over) {
    if (search.due) fd = await search.run();
    else await pause(1);
  }
  const poller = new Epoll(libc());
  if (fd === null || !poller.watchLoop(fd)) return { fd, quiet: -1, readable: false };
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = listener.accept();
  const client = await Deno.connect({ port: listener.addr.port });
  const server = await accepting;
  const reading = server.read(new Uint8Array(8));
  // Something of the runtime's own may still be on its way.
  let quiet = poller.poll(0);
  for (let tries = 0; quiet > 0 && tries < 1000; tries++) {
    await pause(1);
    quiet = poller.poll(0);
  }
  client.write(new Uint8Array(8));
  // The bytes are there; the event loop cannot have looked.
  let count = 0;
  for (let tries = 0; count === 0 && tries < 10; tries++) count = poller.poll(1000);
  const readable = count === 1 && poller.slot(0) === LOOP_SLOT && poller.loopReady();
  await reading;
  for (const one of [listener, client, server]) one.close();
  return { fd, quiet, readable };
}

if (self.name === "worker") self.postMessage(await find());
else {
  const findings = [await find()];
  for (let index = 0; index < 2; index++) {
    const worker = new Worker(import.meta.url, { type: "module", name: "worker" });
    findings.push((await new Promise<MessageEvent<Finding>>((resolve) => worker.onmessage = resolve)).data);
    // It stays: the number of a Worker that has ended would come back.
  }
  console.log(JSON.stringify(findings));
  Deno.exit();
}
