/**
 * A program for node:dgram and node:net, moved here by the README's table alone.
 *
 * @module
 */
import { connect, fromFd, isSocketError, listen, listenDatagram, sockopt, TcpListener } from "../../../mod.ts";

const bytes = new TextEncoder().encode("hello");

using socket = listenDatagram({ transport: "udp", hostname: "0.0.0.0", port: 0, reuseAddress: true });
const { port } = socket.addr;
const membership = socket.joinMulticast("239.255.17.2", { interface: "127.0.0.1" });
socket.setMulticastTTL(1);
socket.setMulticastInterface("127.0.0.1");
socket.setMulticastLoopback(true);
socket.setTTL(3);
socket.setBroadcast(false);
console.log(socket.socket.getOption(sockopt.SO_RCVBUF) > 0);
await socket.send(bytes, { transport: "udp", hostname: membership.group, port });
for await (const [data, from] of socket) {
  console.log(data.length, from.port === port);
  break;
}
await membership.leave();
socket.connect({ transport: "udp", hostname: "127.0.0.1", port });
const peer = socket.remoteAddr?.port;
socket.connect(null);
console.log(peer === port, socket.remoteAddr);

const first = listen({ port: 0, hostname: "127.0.0.1", tcpBacklog: 10 });
const server = fromFd(first.detach());
if (!(server instanceof TcpListener)) throw new TypeError("no listener");
const serving = (async () => {
  for await (const conn of server) {
    const buffer = new Uint8Array(64);
    conn.setReadDeadline(5_000);
    const length = await conn.read(buffer);
    await conn.write([buffer.subarray(0, length!), buffer.subarray(0, length!)]);
    console.log(conn.bytesRead, conn.bytesWritten, conn.remoteAddr.hostname);
    await conn.read(buffer);
    conn.setLinger(0);
    conn.close();
  }
})();
using conn = await connect({
  port: server.addr.port,
  hostname: "127.0.0.1",
  localAddress: { hostname: "127.0.0.2" },
  autoSelectFamily: true,
  autoSelectFamilyAttemptDelay: 100,
});
await conn.write(bytes);
console.log(await conn.read(new Uint8Array(64)));
await conn.write(bytes);
const error = await conn.read(new Uint8Array(1)).catch((error) => error);
if (isSocketError(error)) console.log(error.code, error.syscall, error.errno > 0);
server.close();
await serving;
