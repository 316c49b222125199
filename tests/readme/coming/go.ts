/**
 * A program for Go's net, x/net and x/sys/unix, moved here by the README's table alone.
 *
 * @module
 */
import {
  connect,
  connectAny,
  type Control,
  DatagramBatch,
  fromFd,
  isSocketError,
  listen,
  listenDatagram,
  resolveAddress,
  Socket,
  socketPair,
  sockopt,
} from "../../../mod.ts";

// ListenConfig.Control, Dialer, SetDeadline, ResolveTCPAddr, FileListener.
const control: Control = (socket, network, address) => {
  socket.setOption(sockopt.SO_REUSEPORT, true);
  console.log(network, "hostname" in address && address.hostname);
};
using one = listen({ hostname: "127.0.0.1", port: 0, control });
using two = listen({ hostname: "127.0.0.1", port: one.addr.port, control });
const { hostname, port } = await resolveAddress("tcp", `127.0.0.1:${one.addr.port}`);
using conn = await connect({
  hostname,
  port,
  localAddress: { hostname: "127.0.0.1" },
  deadline: 5_000,
  keepAlive: true,
});
conn.setDeadline(new Date(Date.now() + 1));
const error = await conn.read(new Uint8Array(1)).catch((error) => error);
console.log(isSocketError(error) && error.timeout);
conn.setDeadline(null);
using winner = await connectAny([{ hostname, port }, { hostname, port }]);
console.log(winner.kind, two.addr.port === port, fromFd(one.detach()).kind);

// ReadMsgUDP, WriteMsgUDP, ReadBatch, WriteBatch.
using server = listenDatagram({ transport: "udp", hostname: "0.0.0.0", packetInfo: true });
using client = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
client.connect({ ...server.addr, hostname: "127.0.0.3" });
await client.send(Uint8Array.of(1));
const { addr, destination } = await server.receiveMessage();
await server.send(Uint8Array.of(2), addr, { source: destination!, ttl: 9 });
console.log((await client.receive())[1].hostname);
await client.sendMany([{ data: Uint8Array.of(3) }, { data: Uint8Array.of(4) }]);
const batch = new DatagramBatch();
for (let count = 0; count < 2;) count += await server.receiveMany(batch);

// WriteMsgUnix with UnixRights, GetsockoptUcred, unix.Socket.
const [here, there] = socketPair("stream");
await here.sendMessage({ data: Uint8Array.of(0), fds: [client] });
const message = await there.receiveMessage();
using passed = message!.fds[0]!;
console.log(passed.kind, there.peerCredentials().pid === Deno.pid);
here.close();
there.close();
using raw = Socket.open("inet", "dgram");
console.log(raw.getOption(sockopt.SO_REUSEPORT));
