/**
 * SSDP: finds the UPnP devices of a network (routers, televisions, media servers), and announces one.
 *
 *     deno run --allow-ffi --allow-net --allow-sys=networkInterfaces examples/ssdp.ts --search ssdp:all
 *     deno run --allow-ffi --allow-net --allow-sys=networkInterfaces examples/ssdp.ts --answer http://127.0.0.1/d.xml
 *     deno run --allow-ffi --allow-net --allow-sys=networkInterfaces examples/ssdp.ts --listen
 *
 * All stay on loopback. `--interface all` goes to every interface, also to those that come later, and `--interface eth0` to
 * one; over IPv4 and IPv6 alike.
 *
 * @module
 */
import { interfaces, listenDatagram, type NetworkInterface, type UdpSocket } from "../mod.ts";
import { fail, number, parseArgs, unknownArgument, wholeNumber } from "./arguments.ts";
import { note } from "./progress.ts";
import { onStop } from "./signals.ts";
import { answers, type Device, GROUPS, MAX_AGE, type Message, notices, parse, PORT, search } from "./ssdp/message.ts";
import { row } from "./table.ts";

const HELP = `Finds UPnP devices by SSDP, or announces one.

  --search TARGET     what to find: ssdp:all, upnp:rootdevice, urn:schemas-upnp-org:device:Basic:1, …
  --mx SECONDS        how long a device may take to answer, 1 to 5 (2)
  --answer URL        announce a device whose description is there, and answer searches
  --type TYPE         type of the announced device (urn:schemas-upnp-org:device:Basic:1)
  --uuid UUID         its identifier (a random one)
  --listen            print what devices announce
  --interface NAME    interface to use, or all (loopback)
  --timeout SECONDS   stop after this time, 0.1 to 86400 (with --search: a second more than --mx)
  --help              show this text

Ctrl-C stops, and withdraws an announced device.`;

type Family = keyof typeof GROUPS;

/** The interfaces to send by. */
function outgoing(wanted: string): NetworkInterface[] {
  return interfaces().filter(({ name, up, multicast, loopback }) => {
    return up && (wanted === "all" ? multicast && !loopback : name === wanted);
  });
}

/** One socket for both families where the system has both. */
function openSocket(port: number): UdpSocket {
  const options = { transport: "udp", port, reuseAddress: port !== 0, loopback: true, packetInfo: true } as const;
  let socket: UdpSocket;
  try {
    socket = listenDatagram({ ...options, hostname: "::" });
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse || error instanceof Deno.errors.NotCapable) throw error;
    socket = listenDatagram({ ...options, hostname: "0.0.0.0" });
  }
  socket.setMulticastTTL(2);
  return socket;
}

/** Sends messages to the group of each family, by each interface. */
async function multicast(socket: UdpSocket, wanted: string, make: (family: Family) => Uint8Array[]): Promise<void> {
  for (const { index, addresses } of outgoing(wanted)) {
    for (const family of ["inet", "inet6"] as const) {
      if (!addresses.some((one) => one.family === family)) continue;
      const hostname = family === "inet" ? GROUPS.inet : `${GROUPS.inet6}%${index}`;
      for (const data of make(family)) {
        // An interface may have gone since it was listed, or have no route for groups.
        await socket.send(data, { transport: "udp", hostname, port: PORT }, { interfaceIndex: index }).catch(() => {});
      }
    }
  }
}

/** Yields the messages that come until the signal is aborted. */
async function* messages(
  socket: UdpSocket,
  signal: AbortSignal,
): AsyncGenerator<{ message: Message; from: Deno.NetAddr; index: number }> {
  try {
    for (;;) {
      const { data, addr, interfaceIndex } = await socket.receiveMessage({ signal, maxLength: 4096 });
      const message = parse(data);
      if (message !== null) yield { message, from: addr, index: interfaceIndex ?? 0 };
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Widths of the columns on a terminal. */
const WIDTHS = [6, 41, 41, 32];

function print(event: string, { headers }: Message, from: Deno.NetAddr): void {
  const what = headers.get("st") ?? headers.get("nt") ?? "-";
  const hostname = from.hostname.replace(/^::ffff:(?=\d+\.)/, "");
  const cells = [event, what, headers.get("usn") ?? "-", headers.get("location") ?? "-", hostname];
  console.log(row(cells, WIDTHS));
}

/** Asks twice, since datagrams can be lost, and prints each answer once. */
async function find(wanted: string, target: string, mx: number, signal: AbortSignal): Promise<void> {
  using socket = openSocket(0);
  for (let time = 0; time < 2; time++) await multicast(socket, wanted, (family) => [search(family, target, mx)]);
  const seen = new Set<string>();
  for await (const { message, from } of messages(socket, signal)) {
    const key = `${message.headers.get("usn")} ${message.headers.get("location")}`;
    if (message.kind !== "answer" || seen.has(key)) continue;
    seen.add(key);
    print("found", message, from);
  }
}

function join(socket: UdpSocket, wanted: string): void {
  const groups = socket.addr.hostname === "::" ? Object.values(GROUPS) : [GROUPS.inet];
  for (const group of groups) socket.joinMulticast(group, { interface: wanted });
}

/** Prints what devices announce. */
async function listen(wanted: string, signal: AbortSignal): Promise<void> {
  using socket = openSocket(PORT);
  join(socket, wanted);
  console.log(`listening to ${Object.values(GROUPS).join(" and ")} port ${PORT}; Ctrl-C stops`);
  for await (const { message, from } of messages(socket, signal)) {
    const event = message.headers.get("nts")?.replace(/^ssdp:/, "");
    if (message.kind === "notify" && event !== undefined) print(event, message, from);
  }
}

/** Announces a device until the signal is aborted, and answers who searches for it. */
async function answer(wanted: string, device: Device, signal: AbortSignal): Promise<void> {
  using socket = openSocket(PORT);
  join(socket, wanted);
  const announce = () => multicast(socket, wanted, (family) => notices(family, device, "ssdp:alive"));
  const announcing = setInterval(announce, MAX_AGE * 1000 / 2);
  try {
    await announce();
    console.log(`announced ${device.uuid} at ${device.location}`);
    for await (const { message, from, index } of messages(socket, signal)) {
      if (message.kind !== "search" || message.headers.get("man") !== '"ssdp:discover"') continue;
      reply(socket, answers(device, message.headers.get("st") ?? ""), message, from, index);
    }
  } finally {
    clearInterval(announcing);
    await multicast(socket, wanted, (family) => notices(family, device, "ssdp:byebye"));
  }
}

/** Answers at a moment of chance, so that not all devices do at once. */
async function reply(socket: UdpSocket, all: Uint8Array[], { headers }: Message, to: Deno.NetAddr, index: number) {
  const mx = Math.min(Math.max(Number(headers.get("mx")) || 1, 1), 5);
  for (const data of all) {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * mx * 1000 / all.length));
    await socket.send(data, to, { interfaceIndex: index }).catch(() => {});
  }
}

function deviceOf(location: string, type: string, uuid: string): Device {
  if (!URL.canParse(location)) throw new TypeError(`--answer ${location}: expected a URL`);
  if (!/^urn:[\w.:-]{1,200}$/.test(type)) {
    throw new TypeError(`--type ${type}: expected a name such as urn:…:device:Basic:1`);
  }
  if (!/^[\w-]{1,64}$/.test(uuid)) throw new TypeError(`--uuid ${uuid}: expected letters, digits and hyphens`);
  return { location, type, uuid: `uuid:${uuid}` };
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["search", "mx", "answer", "type", "uuid", "interface", "timeout"],
    boolean: ["listen", "help"],
    default: { mx: "2", type: "urn:schemas-upnp-org:device:Basic:1" },
    unknown: unknownArgument,
  });
  if (args.help) return console.log(HELP);
  const jobs = [args.search !== undefined, args.answer !== undefined, args.listen].filter(Boolean);
  if (jobs.length !== 1) throw new TypeError("pass --search, --answer or --listen; see --help");
  const wanted = args.interface ?? interfaces().find(({ loopback }) => loopback)?.name ?? "lo";
  if (wanted !== "all" && outgoing(wanted).length === 0) {
    throw new TypeError(`--interface ${wanted}: none of that name is up`);
  }
  const mx = wholeNumber("mx", args.mx, 1, 5);
  const stopping = new AbortController();
  using _stop = onStop(() => stopping.abort());
  const seconds = args.timeout === undefined ? null : number("timeout", args.timeout, 0.1, 86_400);
  const limit = seconds ?? (args.search === undefined ? null : mx + 1);
  const timer = limit === null ? undefined : setTimeout(() => stopping.abort(), limit * 1000);
  if (args.search !== undefined) note(`Searching for ${args.search} on ${wanted} for ${limit} s; Ctrl-C stops`);
  try {
    if (args.search !== undefined) await find(wanted, args.search, mx, stopping.signal);
    else if (args.listen) await listen(wanted, stopping.signal);
    else await answer(wanted, deviceOf(args.answer!, args.type, args.uuid ?? crypto.randomUUID()), stopping.signal);
  } finally {
    clearTimeout(timer);
  }
}

try {
  await main();
} catch (error) {
  fail("ssdp", error, { EADDRINUSE: "another program has port 1900 to itself", ENODEV: "see --interface" });
}
