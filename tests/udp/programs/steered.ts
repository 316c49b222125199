/**
 * Two UDP sockets and two TCP listeners, each pair in a reuse-port group steered by processor: it prints the ports, and
 * then a line for each arrival, "udp" or "tcp" with the number of the socket.
 *
 * @module
 */
import { listen, listenDatagram } from "../../../mod.ts";

const group = { hostname: "127.0.0.1", reusePort: true } as const;
const first = listenDatagram({ ...group, transport: "udp", steer: "cpu" });
const second = listenDatagram({ ...group, transport: "udp", port: first.addr.port });
const one = listen({ ...group, port: 0, steer: "cpu" });
const two = listen({ ...group, port: one.addr.port });

for (const [number, socket] of [first, second].entries()) {
  (async () => {
    for await (const [data] of socket) console.log(`udp ${number} ${new TextDecoder().decode(data)}`);
  })();
}
for (const [number, listener] of [one, two].entries()) {
  (async () => {
    for await (const conn of listener) {
      console.log(`tcp ${number}`);
      conn.close();
    }
  })();
}
console.log(`ports ${first.addr.port} ${one.addr.port}`);
