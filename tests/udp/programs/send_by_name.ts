/**
 * Sends to names with several addresses from sockets that can send to some of them. Prints as JSON where each datagram
 * arrived, or the error. Argument: a list of `[options of the socket, name]`.
 *
 * @module
 */
import { listen, listenDatagram, type UdpListenOptions, type UdpSocket } from "../../../mod.ts";

const cases: [options: Partial<UdpListenOptions> & { listens?: "tcp" | "udp" }, name: string][] = JSON.parse(
  Deno.args[0]!,
);

/** Sends a datagram, and returns the address at which it arrived. */
async function arrival(options: Partial<UdpListenOptions>, hostname: string): Promise<string> {
  using v4 = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
  const { port } = v4.addr;
  using v6 = listenDatagram({ transport: "udp", hostname: "::1", port });
  using sender = listenDatagram({ transport: "udp", hostname: "127.0.0.1", ...options });
  await sender.send(new Uint8Array(3), { transport: "udp", hostname, port });
  await sender.sendMany([{ data: new Uint8Array(3), addr: { transport: "udp", hostname, port } }]);
  const received = async (at: UdpSocket) => {
    await at.receive();
    return (await at.receive()) && at.addr.hostname;
  };
  const [first, second] = [received(v4), received(v6)];
  const arrived = await Promise.race([first, second]);
  // The other is cut off by the end of its socket.
  for (const waiting of [first, second]) waiting.catch(() => {});
  return arrived;
}

const outcomes: string[] = [];
for (const [{ listens, ...options }, name] of cases) {
  try {
    if (listens === "tcp") {
      using listener = listen({ hostname: name, port: 0, ipv6Only: options.ipv6Only ?? false });
      outcomes.push(listener.addr.hostname);
    } else if (listens === "udp") {
      using socket = listenDatagram({ transport: "udp", hostname: name, ipv6Only: options.ipv6Only ?? false });
      outcomes.push(socket.addr.hostname);
    } else {
      outcomes.push(await arrival(options, name));
    }
  } catch (error) {
    outcomes.push(`${(error as Error).name}: ${(error as Error).message}`);
  }
}
console.log(JSON.stringify(outcomes));
