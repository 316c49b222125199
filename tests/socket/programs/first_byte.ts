/**
 * Reads and writes one byte with the first call of its kind that this process makes, and prints what arrived.
 *
 * @module
 */
import { connect, listen } from "../../../mod.ts";

using listener = listen({ hostname: "127.0.0.1", port: 0 });
const [server, client] = await Promise.all([listener.accept(), connect({ port: listener.addr.port })]);
const written = await client.write(Uint8Array.of(7));
const p = new Uint8Array(1);
const read = await server.read(p);
for (const conn of [server, client]) conn.close();
console.log(JSON.stringify({ written, read, byte: p[0] }));
