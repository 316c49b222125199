/**
 * Receives descriptors after standard input has been closed, when the first of them gets the number 0: prints as JSON
 * the numbers received, what the first leads to, and how many descriptors are open more than before when all have been
 * closed.
 *
 * @module
 */
import { listenDatagram, openLibrary, socketPair } from "../../../mod.ts";
import { descriptorCount } from "../../support/descriptors.ts";

openLibrary();
const [one, two] = socketPair("stream");
const udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
// Deno.stdin.close() leaves the number taken.
Deno.dlopen("libc.so.6", { close: { parameters: ["i32"], result: "i32" } }).symbols.close(0);
const before = descriptorCount();

await one.sendMessage({ data: new Uint8Array(1), fds: [udp, udp] });
const { fds } = (await two.receiveMessage())!;
const numbers = fds.map(({ fd }) => fd);
const same = Deno.readLinkSync("/proc/self/fd/0") === Deno.readLinkSync(`/proc/self/fd/${udp.socket.fd}`);
for (const fd of fds) fd.close();

// Bytes alone are read: what came with them is closed.
await one.sendMessage({ data: new Uint8Array(1), fds: [udp, udp] });
await two.read(new Uint8Array(1));
console.log(JSON.stringify({ zero: numbers[0], count: numbers.length, same, left: descriptorCount() - before }));
