/**
 * Does the same thing with Deno's socket and with ours, and tells how either went: a JSON array of `[operation,
 * hostname, port]` and the address of "localhost" on the command line, a JSON array of `[Deno's outcome, ours]` on
 * standard output.
 *
 * @module
 */
import { listenDatagram } from "../../../mod.ts";

type Listen = (options: Deno.UdpListenOptions & { transport: "udp" }) => Deno.DatagramConn;

const [steps, localhost] = [JSON.parse(Deno.args[0]!) as Step[], Deno.args[1]!];

type Step = [operation: "listen" | "send" | "join", hostname: string, port: number];

async function perform(listen: Listen, [operation, hostname, port]: Step): Promise<void> {
  if (operation === "listen") return listen({ transport: "udp", hostname, port }).close();
  const v6 = (hostname === "localhost" ? localhost : hostname).includes(":");
  const socket = listen({ transport: "udp", hostname: v6 ? "::1" : "127.0.0.1", port: 0 });
  try {
    if (operation === "join") await socket.joinMulticastV4(hostname, "127.0.0.1");
    else await socket.send(new Uint8Array(1), { transport: "udp", hostname, port });
  } finally {
    socket.close();
  }
}

async function outcome(listen: Listen, step: Step): Promise<string> {
  try {
    await perform(listen, step);
    return "allowed";
  } catch (error) {
    const { name, message } = error as Error;
    return `${name}: ${message}`;
  }
}

const outcomes: [string, string][] = [];
for (const step of steps) {
  outcomes.push([await outcome(Deno.listenDatagram, step), await outcome(listenDatagram, step)]);
}
console.log(JSON.stringify(outcomes));
