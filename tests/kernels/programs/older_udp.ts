/**
 * Sends and receives UDP datagrams with what an older kernel lacks asked for, and prints what came as JSON.
 *
 * @module
 */
import { DatagramBatch, fromFd, isSocketError, listenDatagram, sockopt, type UdpSocket } from "../../../mod.ts";

const outcomes: Record<string, unknown> = {};
const local = { transport: "udp", hostname: "127.0.0.1" } as const;
using sender = listenDatagram(local);
using sink = listenDatagram({ ...local, receiveOffload: true, timestamps: true, receiveBufferSize: 1 << 20 });

try {
  sink.socket.setOption(sockopt.UDP_GRO, true);
} catch (error) {
  outcomes["UDP_GRO, set by name"] = isSocketError(error) ? error.code : String(error);
}

await sender.sendSegments(new Uint8Array(2500), 1000, sink.addr);
const lengths: number[] = [];
for (let index = 0; index < 3; index++) lengths.push((await sink.receive())[0].length);
outcomes["segments"] = lengths;

using taken = fromFd(listenDatagram({ ...local, receiveOffload: true }).detach()) as UdpSocket;
await sender.send(new Uint8Array(7), taken.addr);
outcomes["taken over"] = Array.from([await taken.receive()], ([data]) => data.length);

/** What a batch makes of a long datagram. */
async function batched(socket: UdpSocket, batch: DatagramBatch): Promise<[number, boolean]> {
  await sender.send(new Uint8Array(9000), socket.addr);
  await socket.receiveMany(batch);
  return [batch.data(0).length, batch.truncated(0)];
}

outcomes["a batch, by default"] = await batched(sink, new DatagramBatch({ capacity: 2 }));
outcomes["a batch with maxLength"] = await batched(sink, new DatagramBatch({ capacity: 2, maxLength: 100 }));
outcomes["a batch without receiveOffload"] = await batched(taken, new DatagramBatch({ capacity: 2 }));

const before = Date.now();
await sender.send(new Uint8Array(9000), sink.addr);
const { data, truncated, timestamp = 0 } = await sink.receiveMessage();
outcomes["receiveMessage()"] = [data.length, truncated];
// Microseconds of one clock, against milliseconds of another.
outcomes["a timestamp"] = timestamp >= before - 1000 && timestamp <= Date.now() + 1000;
console.log(JSON.stringify(outcomes));
