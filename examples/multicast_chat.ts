/**
 * A chat over multicast, without a server: every line typed in one terminal appears in all others. Start it in several
 * terminals; Ctrl-D or Ctrl-C leaves.
 *
 *     deno run --allow-ffi --allow-net=127.0.0.1,239.255.42.99 examples/multicast_chat.ts --name alice
 *
 * @module
 */
import process from "node:process";
import { clearLine, createInterface, cursorTo } from "node:readline";
import { listenDatagram, type UdpSocket } from "../mod.ts";
import { fail, parseArgs, unknownArgument, wholeNumber } from "./arguments.ts";
import { onStop } from "./signals.ts";

const HELP = `Chat over multicast: sends each line of standard input to a group and prints the lines of others.

  --name NAME          your name (guest and a number)
  --group ADDRESS      IPv4 multicast group (239.255.42.99); needs --allow-net for it
  --port PORT          port of the group (4299)
  --interface ADDRESS  IPv4 address of the interface to use (127.0.0.1); needs --allow-net for it
  --help               show this text`;

/** Maximum length of a message in bytes, which fits into one Ethernet frame. The rest of a longer line is dropped. */
const LONGEST = 1200;

/** Standard input line by line. On a terminal, `print` writes above the line that is being typed. */
class Prompt {
  readonly #isTerminal = Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
  readonly #interface = createInterface({
    input: process.stdin,
    output: process.stdout,
    prompt: "> ",
    terminal: this.#isTerminal,
  });

  print(line: string): void {
    this.#clear();
    console.log(line);
    if (this.#isTerminal) this.#interface.prompt(true); // The half-typed line again, with the cursor where it was.
  }

  /** Ends at Ctrl-D, at the end of a file, and with `close()`. */
  async *lines(): AsyncGenerator<string> {
    this.#interface.on("SIGINT", () => this.close()); // Ctrl-C is a character while readline reads the terminal.
    if (this.#isTerminal) this.#interface.prompt();
    for await (const line of this.#interface) {
      yield line;
      if (this.#isTerminal) this.#interface.prompt();
    }
  }

  close(): void {
    this.#clear();
    this.#interface.close();
  }

  #clear(): void {
    if (!this.#isTerminal) return;
    clearLine(process.stdout, 0);
    cursorTo(process.stdout, 0);
  }
}

/** Prints received messages until the socket is closed. Our own are looped back and skipped. */
async function printMessages(receiver: UdpSocket, own: Deno.NetAddr, prompt: Prompt): Promise<void> {
  for await (const [data, from] of receiver) {
    if (from.port === own.port && from.hostname === own.hostname) continue;
    // Any program can send to the group: replace control characters.
    prompt.print(new TextDecoder().decode(data).replaceAll(/\p{Cc}+/gu, " "));
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
  const group: Deno.NetAddr = {
    transport: "udp",
    hostname: args.group,
    port: wholeNumber("port", args.port, 1, 65535),
  };

  // The sending socket has a port of its own. With loopback, other programs on this host receive its messages too.
  using sender = listenDatagram({ transport: "udp", hostname: args.interface, loopback: true });
  sender.setMulticastInterface(args.interface);
  // The receiving socket is bound to the group, so that several programs on this host can share the port.
  using receiver = listenDatagram({ transport: "udp", hostname: group.hostname, port: group.port });
  receiver.joinMulticast(group.hostname, { interface: args.interface });
  const send = (text: string) => sender.send(new TextEncoder().encode(text).subarray(0, LONGEST), group);

  const prompt = new Prompt();
  using _stopping = onStop(() => prompt.close());
  async function sendLines(): Promise<void> {
    await send(`* ${args.name} joined`);
    prompt.print(`* you are ${args.name} on ${group.hostname}:${group.port}; Ctrl-D leaves`);
    for await (const line of prompt.lines()) await send(`${args.name}: ${line}`);
    await send(`* ${args.name} left`);
    receiver.close();
    console.log("* you left");
  }
  await Promise.all([printMessages(receiver, sender.addr, prompt), sendLines()]);
}

try {
  await main();
} catch (error) {
  fail("multicast_chat", error, { EADDRINUSE: "choose another port with --port" });
}
