/**
 * Dials each port twice from one local address without a port: `many_dials.ts LOCAL HOST PORT…`. It prints one line of
 * JSON.
 *
 * @module
 */
import { connect, type TcpConn } from "../../../mod.ts";

const [local, hostname, ...ports] = Deno.args as [string, string, ...string[]];
const open: TcpConn[] = [];
for (const port of [...ports, ...ports]) {
  open.push(await connect({ hostname, port: Number(port), localAddress: { hostname: local } }));
}
const used = [...new Set(open.map(({ localAddr }) => localAddr.port))].sort();
for (const conn of open) conn.close();
console.log(JSON.stringify({ connected: open.length, ports: used }));
