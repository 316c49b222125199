/** A stream server with our API or with Deno's: `stream_server.ts ours|Deno tcp|unix MODE`.
 *
 * MODE is what it does with a connection: `echo`, `read`, `write`, `readable`, `writable`, or `close` at once. It says where it
 * listens, and serves until it is killed. */

import { OURS } from "../framework/workload.ts";

/** Bytes of a read or a write in bulk. */
const CHUNK = 65_536;

type Api = Pick<typeof Deno, "listen">;

const [which, transport, mode] = Deno.args;
const api: Api = which === OURS ? await import("../../../mod.ts") as unknown as Api : Deno;

async function echo(conn: Deno.Conn): Promise<void> {
  const bytes = new Uint8Array(1024);
  for (let length; (length = await conn.read(bytes)) !== null;) {
    for (let sent = 0; sent < length;) sent += await conn.write(bytes.subarray(sent, length));
  }
}

async function read(conn: Deno.Conn): Promise<void> {
  const bytes = new Uint8Array(CHUNK);
  while (await conn.read(bytes) !== null);
}

async function write(conn: Deno.Conn): Promise<void> {
  const bytes = new Uint8Array(CHUNK);
  for (;;) await conn.write(bytes);
}

async function readable(conn: Deno.Conn): Promise<void> {
  for await (const _chunk of conn.readable);
}

async function writable(conn: Deno.Conn): Promise<void> {
  const bytes = new Uint8Array(CHUNK);
  const writer = conn.writable.getWriter();
  for (;;) await writer.write(bytes);
}

function close(): Promise<void> {
  return Promise.resolve();
}

const modes: Record<string, (conn: Deno.Conn) => Promise<void>> = { echo, read, write, readable, writable, close };

async function attend(conn: Deno.Conn): Promise<void> {
  try {
    await modes[mode!]!(conn);
  } catch {
    // The client has gone: its time was up.
  }
  try {
    conn.close();
  } catch {
    // A stream has closed it already.
  }
}

async function accept(listener: AsyncIterable<Deno.Conn>, address: string): Promise<void> {
  console.log(JSON.stringify({ address }));
  for await (const conn of listener) attend(conn);
}

if (transport === "unix") {
  const path = `${Deno.makeTempDirSync({ prefix: "berkeley_bench_" })}/socket`;
  await accept(api.listen({ transport: "unix", path }), `unix:${path}`);
} else {
  const listener = api.listen({ transport: "tcp", hostname: "127.0.0.1", port: 0 });
  await accept(listener, `tcp:${listener.addr.port}`);
}
