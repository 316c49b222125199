/**
 * Operations on a name whose name server is this program, which answers nothing until it is told to. Prints as JSON what
 * became of each while its question had no answer, and then what a send makes of the answer.
 *
 * @module
 */
import { connect, connectAny, isSocketError, listenDatagram, resolveAddress, type UdpSocket } from "../../../mod.ts";

const NAME = "slow.test";

/** A name server for this process: /etc/resolv.conf names it. */
class NameServer {
  readonly #socket = listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 53 });
  readonly #unanswered: [question: Uint8Array, from: Deno.Addr][] = [];
  readonly #arrived = Promise.withResolvers<void>();
  answering = false;

  async run(): Promise<void> {
    for await (const [question, from] of this.#socket) {
      this.#unanswered.push([question, from]);
      this.#arrived.resolve();
      if (this.answering) await this.answer();
    }
  }

  /** Resolves when the first question has come. Lookups of one name that are under way share it. */
  asked(): Promise<void> {
    return this.#arrived.promise;
  }

  /** Answers all questions for IPv4 with 127.0.0.1, and all others with no address. */
  async answer(): Promise<void> {
    this.answering = true;
    for (const [question, from] of this.#unanswered.splice(0)) {
      const end = 12 + question.subarray(12).indexOf(0) + 5;
      const isA = question[end - 3] === 1;
      const header = [question[0]!, question[1]!, 0x81, 0x80, 0, 1, 0, isA ? 1 : 0, 0, 0, 0, 0];
      const record = isA ? [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1] : [];
      await this.#socket.send(Uint8Array.from([...header, ...question.subarray(12, end), ...record]), from);
    }
  }
}

const server = new NameServer();
server.run();
const outcomes: Record<string, string> = {};

/** Starts an operation, waits until the question it shares has come, does something that ends it, and notes how it ended. */
async function cut(what: string, start: () => Promise<unknown>, end: () => void): Promise<void> {
  const outcome = start().then(() => "resolved", (error) => {
    const details = isSocketError(error) ? ` ${error.code} ${error.timeout} ${error.address}` : "";
    const { sent } = error as { sent?: number };
    return `${error.name}: ${error.message}${details}${sent === undefined ? "" : ` sent ${sent}`}`;
  });
  await server.asked();
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  end();
  outcomes[what] = await outcome;
}

const to: Deno.NetAddr = { transport: "udp", hostname: NAME, port: 9 };
const p = new Uint8Array(3);
type Send = (socket: UdpSocket, signal: AbortSignal) => Promise<unknown>;
const sends: Record<string, Send> = {
  send: (socket, signal) => socket.send(p, to, { signal }),
  sendMany: (socket, signal) => socket.sendMany([{ data: p, addr: to }], { signal }),
  sendSegments: (socket, signal) => socket.sendSegments(p, 1, to, { signal }),
};
for (const [name, send] of Object.entries(sends)) {
  const udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
  const controller = new AbortController();
  const { signal } = controller;
  await cut(`${name}, aborted`, () => send(udp, signal), () => controller.abort(new Error("enough")));
  const other = new AbortController().signal;
  await cut(`${name}, past a deadline set later`, () => send(udp, other), () => udp.setWriteDeadline(1));
  udp.setWriteDeadline(null);
  await cut(`${name}, past a deadline set before`, () => {
    udp.setWriteDeadline(200);
    return send(udp, other);
  }, () => {});
  udp.setWriteDeadline(null);
  await cut(`${name}, closed`, () => send(udp, other), () => udp.close());
}
const dial = { hostname: NAME, port: 9 };
{
  const controller = new AbortController();
  const { signal } = controller;
  await cut("connect, aborted", () => connect({ ...dial, signal }), () => controller.abort(new Error("enough")));
}
await cut("connect, past its deadline", () => connect({ ...dial, deadline: 200 }), () => {});
{
  const controller = new AbortController();
  const { signal } = controller;
  await cut("connectAny, aborted", () => connectAny([dial], { signal }), () => controller.abort(new Error("enough")));
}
{
  const controller = new AbortController();
  const { signal } = controller;
  await cut(
    "resolveAddress, aborted",
    () => resolveAddress("udp", `${NAME}:9`, { signal }),
    () => controller.abort(new Error("enough")),
  );
}
/** The longest time that a timer was set for, in milliseconds. */
let longestTimer = 0;
globalThis.setTimeout = new Proxy(setTimeout, {
  apply(target, self, args: [() => void, number?]) {
    longestTimer = Math.max(longestTimer, args[1] ?? 0);
    return Reflect.apply(target, self, args);
  },
});
using sink = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
using source = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
// A deadline beyond the longest time that a timer can be set for.
source.setWriteDeadline(2 ** 31 + 60_000);
const sent = source.send(p, { ...to, port: sink.addr.port });
outcomes["longest timer"] = String(longestTimer);
await server.answer();
outcomes["send, answered"] = `${await sent} bytes from port ${(await sink.receive())[1].port === source.addr.port}`;
console.log(JSON.stringify(outcomes));
// The threads of the lookups that were given up are not waited for.
Deno.exit(0);
