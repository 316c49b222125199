/**
 * A chat without a server: every line typed in one terminal appears in all others. Start it in as many terminals as you
 * like; end it with Ctrl-D.
 *
 *     deno run --allow-ffi --allow-net=127.0.0.1,239.255.42.99 examples/multicast_chat.ts --name alice
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { listenDatagram, type UdpSocket } from "../mod.ts";

const HELP = `A chat over multicast: what you type, everybody in the group reads.

  --name NAME          who you are (guest and a number)
  --group ADDRESS      the IPv4 multicast group (239.255.42.99); needs --allow-net for it
  --port PORT          its port (4299)
  --interface ADDRESS  IPv4 address of the interface to use (127.0.0.1); needs --allow-net for it
  --help               this text`;

/** Longer lines are cut, to fit the frames of every network. In bytes. */
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

/** Prints what others say, until the socket is closed. Our own words come back too, as multicast does. */
async function hear(ear: UdpSocket, own: Deno.NetAddr): Promise<void> {
  for await (const [data, from] of ear) {
    if (from.port === own.port && from.hostname === own.hostname) continue;
    // Strangers write here: no control characters on the terminal.
    console.log(new TextDecoder().decode(data).replaceAll(/\p{Cc}+/gu, " "));
  }
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["name", "group", "port", "interface"],
    boolean: ["help"],
    default: { name: `guest${Deno.pid}`, group: "239.255.42.99", port: "4299", interface: "127.0.0.1" },
    unknown: (arg) => {
      throw new TypeError(`${arg} means nothing here: see --help`);
    },
  });
  if (args.help) return console.log(HELP);
  const group: Deno.NetAddr = { transport: "udp", hostname: args.group, port: Number(args.port) };

  // One socket to speak with, whose address is ours alone; others on this host are to hear it too.
  using mouth = listenDatagram({ transport: "udp", hostname: args.interface, loopback: true });
  mouth.setMulticastInterface(args.interface);
  // And one to hear with, bound to the group, so that any number of programs on this host can do the same.
  using ear = listenDatagram({ transport: "udp", hostname: group.hostname, port: group.port });
  ear.joinMulticast(group.hostname, { interface: args.interface });
  const say = (text: string) => mouth.send(new TextEncoder().encode(text).subarray(0, LONGEST), group);

  async function speak(): Promise<void> {
    await say(`* ${args.name} is here`);
    console.log(`* you are ${args.name} on ${group.hostname}:${group.port}; Ctrl-D leaves`);
    for await (const line of lines(Deno.stdin.readable)) await say(`${args.name}: ${line}`);
    await say(`* ${args.name} left`);
    ear.close();
  }
  await Promise.all([hear(ear, mouth.addr), speak()]);
}

try {
  await main();
} catch (error) {
  console.error(`multicast_chat: ${error instanceof Error ? error.message : error}`);
  Deno.exit(1);
}
