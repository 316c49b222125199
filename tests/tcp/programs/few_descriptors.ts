/**
 * A listener of a process without a descriptor left. Prints as JSON what its accepts came to.
 *
 * @module
 */
import { isSocketError, listen, Socket } from "../../../mod.ts";
import { pause } from "../../support/promises.ts";
import { openForSignals } from "../../support/signals.ts";
import { FakeAccept } from "../fake_accept.ts";

/** Sockets until there can be no more. */
function exhaust(): Socket[] {
  const sockets: Socket[] = [];
  for (;;) {
    try {
      sockets.push(Socket.open("inet", "stream"));
    } catch (error) {
      if (isSocketError(error) && error.code === "EMFILE") return sockets;
      throw error;
    }
  }
}

using listener = listen({ hostname: "127.0.0.1", port: 0 });
using client = Socket.open("inet", "stream");
using later = Socket.open("inet", "stream");
// The library, the poller and what Deno needs are open before the last descriptor goes.
openForSignals();
const warm = new AbortController();
const warming = listener.accept({ signal: warm.signal });
warm.abort();
await Promise.allSettled([warming]);

using watched = new FakeAccept();
const fillers = exhaust();
const waiting = listener.accept().catch((error) => error);
await client.connect(listener.addr);
const first = await waiting;
const { attempts } = watched;
await pause(100);
const attemptsWhileIdle = watched.attempts - attempts;
const second = await listener.accept().catch((error) => error);

fillers.pop()!.close();
const conn = await listener.accept();
await client.send(Uint8Array.of(1, 2, 3));
const p = new Uint8Array(8);
const count = await conn.read(p);
conn.close();

fillers.push(...exhaust());
await later.connect(listener.addr);
setTimeout(() => fillers.pop()!.close(), 20);
let loopEnded = false;
while (!loopEnded) {
  try {
    (await listener.accept()).close();
    loopEnded = true;
  } catch (error) {
    if (!isSocketError(error) || error.code !== "EMFILE") throw error;
  }
}

for (const filler of fillers) filler.close();
console.log(JSON.stringify({
  codes: [first.code, second.code],
  message: first.message,
  attempts,
  attemptsWhileIdle,
  echoed: Array.from(p.subarray(0, count!)),
  loopEnded,
}));
