/** A busy echo server with our API or with Deno's, and beside it in the same process a quiet one of Deno's own:
 * `neighbour.ts ours|Deno echo`, or `neighbour.ts ours|Deno timers WARM_UP WINDOW`.
 *
 * It prints where both listen. With `timers` it then measures for WINDOW milliseconds by how much timers of TIMEOUT
 * milliseconds are late, prints it, and serves on. */

import { quantile } from "../framework/statistics.ts";
import { OURS } from "../framework/workload.ts";

/** Milliseconds of the timers that are measured. */
const TIMEOUT = 5;

type Api = Pick<typeof Deno, "listen">;

const [which, mode] = Deno.args;
const api: Api = which === OURS ? await import("../../../mod.ts") as unknown as Api : Deno;

async function echo(conn: Deno.Conn): Promise<void> {
  const bytes = new Uint8Array(1024);
  try {
    for (let length; (length = await conn.read(bytes)) !== null;) await conn.write(bytes.subarray(0, length));
    conn.close();
  } catch {
    // The client's time was up.
  }
}

async function serve(listener: AsyncIterable<Deno.Conn>): Promise<void> {
  for await (const conn of listener) echo(conn);
}

/** How late each timer of a window is, in microseconds. */
async function lateness(milliseconds: number): Promise<number[]> {
  const late: number[] = [];
  for (const end = performance.now() + milliseconds; performance.now() < end;) {
    const start = performance.now();
    await new Promise((resolve) => setTimeout(resolve, TIMEOUT));
    late.push((performance.now() - start - TIMEOUT) * 1000);
  }
  return late;
}

const busy = api.listen({ hostname: "127.0.0.1", port: 0 });
const quiet = Deno.listen({ hostname: "127.0.0.1", port: 0 });
serve(busy);
serve(quiet);
console.log(JSON.stringify({ busy: `tcp:${busy.addr.port}`, quiet: `tcp:${quiet.addr.port}` }));
if (mode === "timers") {
  const [warmUp, window] = Deno.args.slice(2).map(Number);
  await lateness(warmUp!);
  const late = await lateness(window!);
  console.log(JSON.stringify({ median: quantile(late, 0.5), p99: quantile(late, 0.99) }));
}
