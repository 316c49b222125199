/**
 * TCP Fast Open on loopback, in a namespace of its own with net.ipv4.tcp_fastopen=3. It prints one line of JSON.
 *
 * @module
 */
import { connect, isSocketError, listen, type TcpConn, type TcpListener } from "../../../mod.ts";

/** How often a SYN with data was accepted: the kernel's own count. */
function accepted(): number {
  const [names, values] = Deno.readTextFileSync("/proc/self/net/netstat").split("\n").map((line) => line.split(" "));
  return Number(values![names!.indexOf("TCPFastOpenPassive")]);
}

function open(port: number): Promise<TcpConn> {
  return connect({ port, fastOpen: true });
}

/** A connection by which the client gets its cookie. */
async function getCookie(listener: TcpListener): Promise<void> {
  using client = await open(listener.addr.port);
  // Before the accept: with a cookie at hand it is the write that connects.
  await client.write(new Uint8Array(1));
  using server = await listener.accept();
  await server.read(new Uint8Array(1));
}

async function total(conn: TcpConn): Promise<number> {
  let length = 0;
  const buffer = new Uint8Array(65_536);
  for (let read = await conn.read(buffer); read !== null; read = await conn.read(buffer)) length += read;
  return length;
}

/** A write of this many bytes as the first, and what arrived. */
async function exchange(listener: TcpListener, bytes: number, before = async () => {}): Promise<number[]> {
  const client = await open(listener.addr.port);
  await before();
  const addresses = [client.remoteAddr.port === listener.addr.port, client.localAddr.port > 0];
  const writing = client.write(new Uint8Array(bytes)).finally(() => client.close());
  using server = await listener.accept();
  return [Number(addresses.every(Boolean)), await total(server), await writing];
}

using listener = listen({ hostname: "127.0.0.1", port: 0, fastOpen: 16 });
await getCookie(listener);
const start = accepted();
const small = await exchange(listener, 5);
const large = await exchange(listener, 1_000_000);
const withData = accepted() - start;
const forgotten = await exchange(listener, 300_000, async () => {
  await new Deno.Command("ip", { args: ["tcp_metrics", "flush"] }).output();
});
await getCookie(listener);
const { port } = listener.addr;
listener.close();
// With a cookie, connect sends nothing; the first write does, and is refused.
using nobody = await open(port);
await nobody.write(new Uint8Array(3));
const refusal = await nobody.read(new Uint8Array(1)).catch((error) => isSocketError(error) && error.code);
console.log(JSON.stringify({ small, large, withData, forgotten, refusal }));
