/**
 * A chat over multicast, without a server: every line typed in one terminal appears in all others. Start it in several
 * terminals; Ctrl-D ends it.
 *
 *     deno run --allow-ffi --allow-net=127.0.0.1,239.255.42.99 examples/multicast_chat.ts --name alice
 *
 * @module
 */
import { listenDatagram, type UdpSocket } from "../mod.ts";
import { fail, parseArgs, unknownArgument } from "./arguments.ts";

const HELP = `Chat over multicast: sends each line of standard input to a group and prints the lines of others.

  --name NAME          your name (guest and a number)
  --group ADDRESS      IPv4 multicast group (239.255.42.99); needs --allow-net for it
  --port PORT          port of the group (4299)
  --interface ADDRESS  IPv4 address of the interface to use (127.0.0.1); needs --allow-net for it
  --help               show this text`;

/** Maximum length of a message in bytes, which fits into one Ethernet frame. The rest of a longer line is dropped. */
const LONGEST = 1200;

async function* lines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const found = (rest + text).split("\n");
    rest = found.pop() ?? "";
    yield* found;
  }
  if (rest !== "") yield rest;
}

/** Prints received messages until the socket is closed. Our own are looped back and skipped. */
async function printMessages(receiver: UdpSocket, own: Deno.NetAddr): Promise<void> {
  for await (const [data, from] of receiver) {
    if (from.port === own.port && from.hostname === own.hostname) continue;
    // Anybody can send to the group: replace control characters.
    console.log(new TextDecoder().decode(data).replaceAll(/\p{Cc}+/gu, " "));
  }
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["name", "group", "port", "interface"],
    boolean: ["help"],
    default: { name: `guest${Deno.pid}`, group: "239.255.42.99", port: "4299", interface: "127.0.0.1" },
    unknown: unknownArgument,
  });
  if (args.help) return console.log(HELP);
  const group: Deno.NetAddr = { transport: "udp", hostname: args.group, port: Number(args.port) };

  // The sending socket has a port of its own. With loopback, other programs on this host receive its messages too.
  using sender = listenDatagram({ transport: "udp", hostname: args.interface, loopback: true });
  sender.setMulticastInterface(args.interface);
  // The receiving socket is bound to the group, so that several programs on this host can share the port.
  using receiver = listenDatagram({ transport: "udp", hostname: group.hostname, port: group.port });
  receiver.joinMulticast(group.hostname, { interface: args.interface });
  const send = (text: string) => sender.send(new TextEncoder().encode(text).subarray(0, LONGEST), group);

  async function sendLines(): Promise<void> {
    await send(`* ${args.name} joined`);
    console.log(`* you are ${args.name} on ${group.hostname}:${group.port}; Ctrl-D leaves`);
    for await (const line of lines(Deno.stdin.readable)) await send(`${args.name}: ${line}`);
    await send(`* ${args.name} left`);
    receiver.close();
  }
  await Promise.all([printMessages(receiver, sender.addr), sendLines()]);
}

try {
  await main();
} catch (error) {
  fail("multicast_chat", error, { EADDRINUSE: "choose another port with --port" });
}
