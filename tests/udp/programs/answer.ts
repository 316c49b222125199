/**
 * Answers every datagram to a shared port: `answer.ts <port> <answer>`.
 *
 * @module
 */
import { listenDatagram } from "../../../mod.ts";

const [port, answer] = Deno.args;
const data = new TextEncoder().encode(answer);
using socket = listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: Number(port), reusePort: true });
console.log("ready");
for await (const [, from] of socket) await socket.send(data, from);
