/**
 * Two sockets on one UDP port, in one process or in two: one receives on 127.0.0.1:12345, the other sends from the same port
 * to the multicast group 239.255.255.250:3702. A member of the group prints the sender's address.
 *
 *     deno run --allow-ffi --allow-net=127.0.0.1,239.255.255.250 examples/reuse_port.ts
 *
 * This runs both in one process. For two processes, add `--listen` in one terminal and `--send` in another.
 *
 * @module
 */
import { type Control, listenDatagram, sockopt, type UdpSocket } from "../mod.ts";
import { fail, number, parseArgs, unknownArgument, wholeNumber } from "./arguments.ts";

const HELP = `Two sockets share a UDP port: one receives on it, the other sends multicast from it.

  --listen             only receive, on the port and as a member of the group
  --send               only send one message from the port to the group
  --text TEXT          message to send (test message)
  --port PORT          port to share, 1 to 65535 (12345)
  --interface ADDRESS  IPv4 address of the interface to use (127.0.0.1); needs --allow-net for it
  --seconds SECONDS    how long to receive, 0 to 86400 (60)
  --help               show this text

A datagram to a shared port is received by one of its sockets, chosen by the sender's address and port.`;

const GROUP: Deno.NetAddr = { transport: "udp", hostname: "239.255.255.250", port: 3702 };

/** As Go's ListenConfig.Control: called before bind for every socket that is to share the port. `reusePort: true` sets the
 * same option on systems where it spreads load, and throws NotSupported on others. */
const share: Control = (socket) => socket.setOption(sockopt.SO_REUSEPORT, true);

/** Receives on the shared port and in the group. It ends early when the member receives the text `last`. */
async function listen(shared: UdpSocket, address: string, milliseconds: number, last?: string): Promise<void> {
  // A socket bound to the group receives nothing else on that port, and any number of sockets can share it.
  using member = listenDatagram({ transport: "udp", hostname: GROUP.hostname, port: GROUP.port });
  member.joinMulticast(GROUP.hostname, { interface: address });
  const time = last === undefined ? ` for ${milliseconds / 1000} s` : "";
  console.log(`Listening on ${address}:${shared.addr.port} and as a member of ${GROUP.hostname}:${GROUP.port}${time}`);
  const deadline = new Date(Date.now() + milliseconds);
  for (const socket of [shared, member]) socket.setReadDeadline(deadline);
  const ended = print(shared);
  const received = await print(member, last);
  if (received) shared.close();
  await ended;
  if (last !== undefined && !received) {
    throw new Deno.errors.TimedOut(`No member of ${GROUP.hostname} received the message`);
  }
}

/** Prints received datagrams until the socket is closed, its deadline expires, or the text is `last`: then it is true. */
async function print(socket: UdpSocket, last?: string): Promise<boolean> {
  try {
    for await (const [data, from] of socket) {
      const text = new TextDecoder().decode(data);
      const { hostname, port } = socket.addr;
      console.log(`${hostname}:${port} received ${JSON.stringify(text)} from ${from.hostname}:${from.port}`);
      if (text === last) return true;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.TimedOut)) throw error;
  }
  return false;
}

/** Sends to the group from the shared port. */
async function send(shared: UdpSocket, address: string, text: string): Promise<void> {
  shared.setMulticastInterface(address);
  shared.setMulticastLoopback(true); // Members on this host receive it too.
  await shared.send(new TextEncoder().encode(text), GROUP);
  console.log(`Sent ${JSON.stringify(text)} from ${address}:${shared.addr.port} to ${GROUP.hostname}:${GROUP.port}`);
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    boolean: ["listen", "send", "help"],
    string: ["text", "port", "interface", "seconds"],
    default: { text: "test message", port: "12345", interface: "127.0.0.1", seconds: "60" },
    unknown: unknownArgument,
  });
  if (args.help) return console.log(HELP);
  const port = wholeNumber("port", args.port, 1, 65535);
  const milliseconds = number("seconds", args.seconds, 0, 86_400) * 1000;
  const open = () => listenDatagram({ transport: "udp", hostname: args.interface, port, control: share });
  using first = open();
  if (args.listen && !args.send) return await listen(first, args.interface, milliseconds);
  if (args.send && !args.listen) return await send(first, args.interface, args.text);
  using second = open();
  await Promise.all([listen(first, args.interface, milliseconds, args.text), send(second, args.interface, args.text)]);
}

try {
  await main();
} catch (error) {
  fail("reuse_port", error, { EADDRINUSE: "choose another port with --port" });
}
