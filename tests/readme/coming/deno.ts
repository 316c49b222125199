/**
 * A program for Deno's API, moved here by the README's table alone.
 *
 * @module
 */
import { connect, isSocketError, listen, listenDatagram } from "../../../mod.ts";

const bytes = new TextEncoder().encode("hello");

const listener = listen({ hostname: "127.0.0.1", port: 0, transport: "tcp" });
const serving = (async () => {
  for await (const conn of listener) await conn.readable.pipeTo(conn.writable);
})();
const conn = await connect({ hostname: "127.0.0.1", port: listener.addr.port });
conn.setNoDelay(true);
conn.setKeepAlive({ idle: 30, interval: 5, count: 3 });
await conn.write(bytes);
await conn.closeWrite();
console.log(await new Response(conn.readable).text());
listener.close();
await serving;

using one = listenDatagram({ transport: "unixpacket", path: "" });
using other = listenDatagram({ transport: "unixgram", path: "" });
await one.send(bytes, other.addr);
console.log((await other.receive())[0].length);

using udp = listenDatagram({ transport: "udp", port: 0, hostname: "0.0.0.0" });
const membership = await udp.joinMulticastV4("239.255.17.1", "127.0.0.1");
await membership.setTTL(1);
await membership.leave();
udp.setReadDeadline(1);
const error = await udp.receive().catch((error) => error);
console.log(error instanceof Deno.errors.TimedOut, isSocketError(error) && error.code);
udp.setReadDeadline(null);
console.log(await udp.receive(new Uint8Array(8), { signal: AbortSignal.abort("stopped") }).catch((reason) => reason));
