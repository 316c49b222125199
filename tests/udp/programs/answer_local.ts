/**
 * Answers two questions, from the local address that each came with: the first received by receiveMessage, the second by
 * receiveMany. Arguments: the address to bind, and the address that questions go to, which is joined where it is a group.
 *
 * @module
 */
import { type Datagram, DatagramBatch, listenDatagram } from "../../../mod.ts";

const [hostname, to] = Deno.args as [string, string];
using socket = listenDatagram({ transport: "udp", hostname, packetInfo: true });
if (/^(ff|239)/.test(to)) socket.joinMulticast(to, { interface: "veth0" });
console.log(`port ${socket.addr.port}`);

async function answer({ addr, destination, localAddress }: Datagram): Promise<void> {
  const details = new TextEncoder().encode(JSON.stringify({ destination, localAddress }));
  await socket.send(details, addr, { source: localAddress! });
}

await answer(await socket.receiveMessage());
const batch = new DatagramBatch();
await socket.receiveMany(batch);
for (const datagram of batch) await answer(datagram);
