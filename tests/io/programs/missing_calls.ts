/**
 * Accepts a connection and sends and receives several datagrams at a time, on a system that may lack the calls for it.
 *
 * @module
 */
import { connect, DatagramBatch, listen, listenDatagram } from "../../../mod.ts";

using listener = listen({ hostname: "127.0.0.1", port: 0 });
const [server, client] = await Promise.all([listener.accept(), connect({ port: listener.addr.port })]);
const { stdout } = await new Deno.Command("cat", { args: [`/proc/${Deno.pid}/fdinfo/${server.socket.fd}`] }).output();
const [, flags] = /^flags:\s+(\d+)$/m.exec(new TextDecoder().decode(stdout))!;
await client.write(new Uint8Array(5));
const read = await server.read(new Uint8Array(9));
for (const conn of [server, client]) conn.close();

using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
const data = [1, 2, 3].map((length) => new Uint8Array(length));
const sent = await udp.sendMany(data.map((data) => ({ data, addr: udp.addr })));
const batch = new DatagramBatch({ capacity: 8 });
let received = 0;
while (received < sent) received += await udp.receiveMany(batch);
// O_NONBLOCK and O_CLOEXEC of <fcntl.h>, in octal digits.
const [nonblocking, closeOnExec] = [0o4000, 0o2000000].map((flag) => (parseInt(flags!, 8) & flag) !== 0);
console.log(JSON.stringify({ nonblocking, closeOnExec, read, sent, received }));
