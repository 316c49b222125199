/**
 * Echoes to every connection until standard input ends. Prints its port, and at the end as JSON how many were open at once.
 *
 * @module
 */
import { listen, type TcpConn } from "../../../mod.ts";

const listener = listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 4096 });
let open = 0;
let most = 0;

async function echo(conn: TcpConn): Promise<void> {
  using _closing = conn;
  most = Math.max(most, ++open);
  const p = new Uint8Array(256);
  for (let count = await conn.read(p); count !== null; count = await conn.read(p)) {
    await conn.write(p.subarray(0, count));
  }
  open--;
}

const connections: Promise<void>[] = [];
const accepting = (async () => {
  for await (const conn of listener) connections.push(echo(conn));
})();
console.log(`port ${listener.addr.port}`);

await Deno.stdin.readable.pipeTo(new WritableStream());
await Promise.all(connections);
listener.close();
await accepting;
console.log(JSON.stringify({ served: connections.length, most, open }));
