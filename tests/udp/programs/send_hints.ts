/**
 * Prints the messages of sends that fail, each on a line: `[hostname, options]` pairs are the arguments, as JSON.
 *
 * @module
 */
import { listenDatagram, type SendOptions, type UdpListenOptions } from "../../../mod.ts";

type Case = [hostname: string, listenOptions: Partial<UdpListenOptions>, sendOptions: SendOptions];

for (const [hostname, listenOptions, sendOptions] of JSON.parse(Deno.args[0]!) as Case[]) {
  using socket = listenDatagram({ transport: "udp", ...listenOptions });
  const addr: Deno.NetAddr = { transport: "udp", hostname, port: 9 };
  await socket.send(new Uint8Array(1), addr, sendOptions).then(
    () => console.log("sent"),
    (error) => console.log(error.message),
  );
  await socket.sendMany([{ data: new Uint8Array(1), addr }]).then(
    () => console.log("sent"),
    (error) => console.log(error.message),
  );
}
