/**
 * Sends and receives by every call that a signal can interrupt, and prints as JSON what arrived.
 *
 * @module
 */
import {
  connect,
  DatagramBatch,
  listen,
  listenDatagram,
  socketPair,
  type TcpConn,
  type UnixConn,
} from "../../../mod.ts";

const ROUNDS = 4;
const [MSG_A, MSG_B] = [Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5)];

function sum(bytes: Uint8Array): number {
  return bytes.reduce((total, byte) => total + byte, 0);
}

/** Round trips on a stream, each read begun before its bytes are sent. */
async function talk(one: TcpConn | UnixConn, other: TcpConn | UnixConn): Promise<number> {
  let total = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const p = new Uint8Array(16);
    const reading = other.read(p);
    await new Promise((resolve) => setTimeout(resolve, 15));
    await one.write(round % 2 === 0 ? MSG_A : [MSG_A.subarray(0, 1), MSG_A.subarray(1)]);
    total += sum(p.subarray(0, await reading ?? 0));
  }
  return total;
}

async function streams(): Promise<number[]> {
  using listener = listen({ hostname: "127.0.0.1", port: 0 });
  const [server, client] = await Promise.all([listener.accept(), connect({ port: listener.addr.port })]);
  using _server = server;
  using _client = client;
  const [left, right] = socketPair("stream");
  using _left = left;
  using _right = right;
  const path = await Deno.makeTempFile();
  await Deno.writeFile(path, MSG_A);
  const sent = await client.sendFile(path);
  const p = new Uint8Array(16);
  const length = await server.read(p) ?? 0;
  await Deno.remove(path);
  return [await talk(client, server), await talk(left, right), sent, sum(p.subarray(0, length))];
}

async function datagrams(): Promise<number[]> {
  using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
  const { addr } = udp;
  const batch = new DatagramBatch({ capacity: 4 });
  let total = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const receiving = udp.receive();
    await new Promise((resolve) => setTimeout(resolve, 15));
    await udp.send(MSG_A, addr);
    total += sum((await receiving)[0]);
    await udp.send([MSG_A, MSG_B], addr);
    total += sum((await udp.receiveMessage()).data);
    const sent = await udp.sendMany([{ data: MSG_A, addr }, { data: MSG_B, addr }]);
    for (let received = 0; received < sent;) {
      received += await udp.receiveMany(batch);
      for (const { data } of batch) total += sum(data);
    }
    await udp.sendSegments(MSG_A, 1, addr);
    for (let piece = 0; piece < 3; piece++) total += sum((await udp.receive())[0]);
  }
  return [total];
}

console.log(JSON.stringify({ streams: await streams(), datagrams: await datagrams() }));
