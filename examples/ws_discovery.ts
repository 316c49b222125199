/**
 * WS-Discovery: finds the devices of a network (Windows machines, printers, ONVIF cameras) with a Probe to the multicast
 * group 239.255.255.250:3702, and prints the answers.
 *
 *     deno run --allow-ffi --allow-net=127.0.0.1,239.255.255.250 examples/ws_discovery.ts
 *
 * On loopback, run it with `--listen --answer` in another terminal to get an answer. On a network, name the interface to
 * send from, and allow it:
 *
 *     deno run --allow-ffi --allow-net examples/ws_discovery.ts --interface 192.0.2.1
 *
 * @module
 */
import { listenDatagram, type UdpSocket } from "../mod.ts";
import { fail, number, parseArgs, unknownArgument, wholeNumber } from "./arguments.ts";

const HELP = `Sends a WS-Discovery Probe and prints the answers.

  --types TYPES        types to search for: wsdp:Device, dn:NetworkVideoTransmitter, … or any (wsdp:Device)
  --timeout SECONDS    how long to wait for answers, or to listen, 0.1 to 86400 (4, or 3600)
  --count COUNT        exit after this number of answers, 1 to 1000 (1000)
  --interface ADDRESS  IPv4 address of the interface to use (127.0.0.1); needs --allow-net for it
  --port PORT          port of the group, 1 to 65535 (3702)
  --listen             send no Probe; print the messages of others in the group
  --answer             with --listen: answer Probes as a device does
  --help               show this text`;

const GROUP = "239.255.255.250";
const ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing";
const DISCOVERY = "http://schemas.xmlsoap.org/ws/2005/04/discovery";
const NAMESPACES = {
  soap: "http://www.w3.org/2003/05/soap-envelope",
  wsa: ADDRESSING,
  wsd: DISCOVERY,
  wsdp: "http://schemas.xmlsoap.org/ws/2006/02/devprof",
  dn: "http://www.onvif.org/ver10/network/wsdl",
};

/** The data about one device in a message. */
interface Device {
  endpoint: string;
  types: string;
  addresses: string;
}

/** The parsed elements of a message. */
interface Message {
  action: string;
  id: string;
  relatesTo: string;
  /** The types that a Probe asks for. */
  probe: string;
  devices: Device[];
}

/** Makes a SOAP message with these headers. */
function envelope(id: string, action: string, to: string, relatesTo: string, body: string): Uint8Array {
  const prefixes = Object.entries(NAMESPACES).map(([prefix, uri]) => ` xmlns:${prefix}="${uri}"`).join("");
  const relation = relatesTo === "" ? "" : `<wsa:RelatesTo>${escape(relatesTo)}</wsa:RelatesTo>`;
  return new TextEncoder().encode(
    `<?xml version="1.0" encoding="utf-8"?><soap:Envelope${prefixes}><soap:Header><wsa:To>${to}</wsa:To>` +
      `<wsa:Action>${DISCOVERY}/${action}</wsa:Action><wsa:MessageID>${id}</wsa:MessageID>${relation}</soap:Header>` +
      `<soap:Body>${body}</soap:Body></soap:Envelope>`,
  );
}

/** Extracts the elements needed here, whatever their namespace prefixes. It is not a full XML parser. */
function parse(data: Uint8Array): Message {
  const message: Message = { action: "", id: "", relatesTo: "", probe: "", devices: [] };
  let device: Device | undefined;
  for (const [, tag, text] of new TextDecoder().decode(data).matchAll(/<([^<>]*)>([^<>]*)/g)) {
    const value = unescape(text!).replaceAll(/[\s\p{Cc}]+/gu, " ").trim(); // Without control characters, for the terminal.
    switch (tag!.match(/^(?:[\w.-]+:)?([\w.-]+)/)?.[1]) {
      case "Action":
        message.action = value.slice(value.lastIndexOf("/") + 1);
        break;
      case "MessageID":
        message.id = value;
        break;
      case "RelatesTo":
        message.relatesTo = value;
        break;
      case "Hello":
      case "Bye":
      case "ProbeMatch":
      case "ResolveMatch":
        device = { endpoint: "", types: "", addresses: "" };
        message.devices.push(device);
        break;
      case "Address":
        if (device !== undefined) device.endpoint = value;
        break;
      case "Types":
        if (device !== undefined) device.types = value;
        else message.probe = value;
        break;
      case "XAddrs":
        if (device !== undefined) device.addresses = value;
        break;
    }
  }
  return message;
}

const ENTITIES = { "&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&" } as const;

function unescape(text: string): string {
  return text.replaceAll(/&(?:lt|gt|quot|apos|amp);/g, (entity) => ENTITIES[entity as keyof typeof ENTITIES]);
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

function newId(): string {
  return `urn:uuid:${crypto.randomUUID()}`;
}

function print(from: Deno.NetAddr, message: Message): void {
  const about = message.devices.map(({ endpoint, types, addresses }) => `${endpoint} ${types} ${addresses}`.trim());
  for (const line of about.length === 0 ? [message.probe] : about) {
    console.log(`${from.hostname}:${from.port} ${message.action} ${line}`);
  }
}

/** Yields the messages received within the given time, without duplicates. */
async function* messages(socket: UdpSocket, milliseconds: number): AsyncGenerator<[Message, Deno.NetAddr]> {
  const known: string[] = [];
  socket.setReadDeadline(new Date(Date.now() + milliseconds));
  try {
    for await (const [data, from] of socket) {
      const message = parse(data);
      if (known.includes(message.id)) continue;
      if (known.push(message.id) > 100) known.shift();
      yield [message, from];
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.TimedOut)) throw error;
  }
}

/** Sends a Probe and prints the answers until the time is up or there are `count` of them. */
async function probe(socket: UdpSocket, group: Deno.NetAddr, types: string, milliseconds: number, count: number) {
  if (!/^any$|^\w+:\w+( \w+:\w+)*$/.test(types)) throw new TypeError(`--types ${types}: expected names as wsdp:Device`);
  const id = newId();
  const wanted = types === "any" ? "" : `<wsd:Types>${types}</wsd:Types>`;
  const to = "urn:schemas-xmlsoap-org:ws:2005:04:discovery";
  const message = envelope(id, "Probe", to, "", `<wsd:Probe>${wanted}</wsd:Probe>`);
  // Datagrams can be lost, so the standard repeats the Probe. Receivers recognise a duplicate by its MessageID.
  for (let time = 0; time < 2; time++) await socket.send(message, group);
  console.log(
    `Asked ${group.hostname}:${group.port} for ${types} from ${socket.addr.hostname}; answers may take ${
      milliseconds / 1000
    } s`,
  );

  let answered = 0;
  for await (const [answer, from] of messages(socket, milliseconds)) {
    if (answer.action !== "ProbeMatches" || answer.relatesTo !== id) continue;
    print(from, answer);
    if (++answered === count) break;
  }
  console.log(`${answered} answered`);
}

/** Prints the messages in the group and, with `answer`, answers Probes. */
async function listen(socket: UdpSocket, group: Deno.NetAddr, address: string, milliseconds: number, answer: boolean) {
  // A socket bound to the group receives nothing else on that port, and any number of sockets can share it.
  using member = listenDatagram({ transport: "udp", hostname: group.hostname, port: group.port });
  member.joinMulticast(group.hostname, { interface: address });
  const device = `<wsa:EndpointReference><wsa:Address>${newId()}</wsa:Address></wsa:EndpointReference>` +
    "<wsd:Types>wsdp:Device</wsd:Types><wsd:MetadataVersion>1</wsd:MetadataVersion>";
  const body = `<wsd:ProbeMatches><wsd:ProbeMatch>${device}</wsd:ProbeMatch></wsd:ProbeMatches>`;
  console.log(`Listening to ${group.hostname}:${group.port} on ${address}; Ctrl-C stops`);
  for await (const [message, from] of messages(member, milliseconds)) {
    print(from, message);
    if (!answer || message.action !== "Probe" || !/^$|:Device$/.test(message.probe)) continue;
    await socket.send(envelope(newId(), "ProbeMatches", `${ADDRESSING}/role/anonymous`, message.id, body), from);
  }
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["types", "timeout", "count", "interface", "port"],
    boolean: ["listen", "answer", "help"],
    default: { types: "wsdp:Device", count: "1000", interface: "127.0.0.1", port: "3702" },
    unknown: unknownArgument,
  });
  if (args.help) return console.log(HELP);
  const group: Deno.NetAddr = { transport: "udp", hostname: GROUP, port: wholeNumber("port", args.port, 1, 65535) };
  using socket = listenDatagram({ transport: "udp", hostname: args.interface, loopback: true });
  socket.setMulticastInterface(args.interface);
  const milliseconds = number("timeout", args.timeout ?? (args.listen ? "3600" : "4"), 0.1, 86_400) * 1000;
  if (args.listen) return await listen(socket, group, args.interface, milliseconds, args.answer);
  await probe(socket, group, args.types, milliseconds, number("count", args.count, 1, 1000));
}

try {
  await main();
} catch (error) {
  fail("ws_discovery", error, { EADDRINUSE: "choose another port with --port" });
}
