/**
 * Opens connections and speaks over each of them while all are open. Prints as JSON what it received. Arguments: port, how many.
 *
 * @module
 */
import { connect, type TcpConn } from "../../../mod.ts";
import { descriptorCount } from "../../support/descriptors.ts";
import "./warm.ts";

/** Dials under way at a time: fewer than the listener's queue holds. */
const AT_ONCE = 100;

const [port, count] = Deno.args.map(Number) as [number, number];
const before = descriptorCount();
const connections: TcpConn[] = [];
while (connections.length < count) {
  connections.push(...await Promise.all(Array.from({ length: AT_ONCE }, () => connect({ port }))));
}

/** Sends its number and checks the echo. */
async function speak(conn: TcpConn, index: number): Promise<boolean> {
  const said = new TextEncoder().encode(`I am connection ${index} of ${count}`);
  const received = new Uint8Array(said.length);
  await conn.write(said);
  for (let at = 0; at < received.length;) {
    const length = await conn.read(received.subarray(at));
    if (length === null) return false;
    at += length;
  }
  return received.every((byte, at) => byte === said[at]);
}

const open = descriptorCount() - before;
const rounds = [];
for (let round = 0; round < 2; round++) {
  const right = await Promise.all(connections.map(speak));
  rounds.push(right.filter(Boolean).length);
}
for (const conn of connections) conn.close();
console.log(JSON.stringify({ open, rounds, left: descriptorCount() - before }));
