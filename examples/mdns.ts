/**
 * Multicast DNS: finds services of a network, and announces one, as Avahi and Bonjour do.
 *
 *     deno run --allow-ffi --allow-net --allow-sys=networkInterfaces,hostname examples/mdns.ts --browse _http._tcp
 *     deno run --allow-ffi --allow-net --allow-sys=networkInterfaces,hostname examples/mdns.ts --announce Page 8080
 *
 * Both stay on loopback. `--interface all` goes to every interface, also to those that come later, and `--interface eth0` to
 * one; over IPv4 and IPv6 alike, by one socket.
 *
 * Records are read and written by the npm package dns-packet. It takes a dot for the end of a label, so a name with a dot
 * cannot be announced, and one that others have is shown and not asked for.
 *
 * @module
 */
import { interfaces } from "../mod.ts";
import { atMost, fail, number, parseArgs, unknownArgument, wholeArgument, wholeNumber } from "./arguments.ts";
import { Browser, type Found } from "./mdns/browser.ts";
import { Link } from "./mdns/link.ts";
import { type Service, shown } from "./mdns/records.ts";
import { Responder } from "./mdns/responder.ts";
import { note } from "./progress.ts";
import { onStop } from "./signals.ts";
import { row } from "./table.ts";

const HELP = `Finds services by multicast DNS, or announces one.

  --browse TYPE           type of the services to find: _http._tcp, _ipp._tcp, …
  --announce NAME PORT    name and port of the service to announce
  --type TYPE             type of the announced service (_http._tcp)
  --txt KEY=VALUE         attribute of the announced service; can be repeated
  --host NAME             name of this host, without .local (its hostname)
  --interface NAME        interface to use, or all (loopback)
  --timeout SECONDS       stop after this time, 0.1 to 86400
  --count COUNT           with --browse: stop after this number of services found, 1 to 1000
  --help                  show this text

Ctrl-C stops, and withdraws an announced service.`;

/** One label: what stands between two dots of a name. */
function label(what: string, text: string): string {
  const length = new TextEncoder().encode(text).length;
  if (length >= 1 && length <= 63 && !/[.\p{Cc}]/u.test(text)) return text;
  throw new TypeError(`${what} ${text}: expected 1 to 63 bytes without a dot`);
}

function serviceType(option: string, text: string): string {
  if (/^_[a-z0-9-]{1,15}\._(tcp|udp)$/i.test(text)) return text;
  throw new TypeError(`--${option} ${text}: expected a type such as _http._tcp`);
}

/** Widths of the columns on a terminal. */
const WIDTHS = [5, 24, 24, 32];

function describe({ instance, host, port, addresses, txt }: Found): string[] {
  return [instance, `${host}:${port}`, addresses.join(" "), ...txt].map(shown);
}

/** Prints the services that are found and lost, until there are `count` of them. */
async function browse(link: Link, type: string, count: number): Promise<void> {
  const found = new Set<string>();
  const enough = Promise.withResolvers<void>();
  const browser = new Browser(link, type, (event, service) => {
    console.log(row([event, ...describe(service)], WIDTHS));
    if (event === "found" && found.add(service.instance).size >= count) enough.resolve();
  });
  const following = (async () => {
    for await (const one of link.follow()) browser.ask(one);
  })();
  browser.start();
  note(`Browsing for ${type}; Ctrl-C stops`);
  const receiving = (async () => {
    for await (const received of link.receive()) browser.take(received);
  })();
  try {
    await Promise.race([following, receiving, enough.promise]);
  } finally {
    browser.stop();
  }
}

/** Announces a service until the signal is aborted, and takes it back then. */
async function announce(link: Link, service: Service, signal: AbortSignal): Promise<void> {
  const responder = new Responder(link, service, (line) => console.log(shown(line)));
  const stopped = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => stopped.resolve());
  let started = false;
  const following = (async () => {
    for await (const one of link.follow()) {
      if (started) responder.announce(one);
      else {
        started = true;
        // The first listing is all there, and then the names are probed for once, on all interfaces.
        setTimeout(() => responder.start(), 0);
      }
    }
  })();
  const receiving = (async () => {
    for await (const received of link.receive()) responder.take(received);
  })();
  await Promise.race([following, receiving, stopped.promise]);
  await responder.stop();
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["browse", "announce", "type", "txt", "host", "interface", "timeout", "count", "_"],
    boolean: ["help"],
    collect: ["txt"],
    default: { type: "_http._tcp", count: "Infinity" },
    unknown: atMost(1),
  });
  if (args.help) return console.log(HELP);
  if ((args.browse === undefined) === (args.announce === undefined)) {
    throw new TypeError("pass --browse TYPE or --announce NAME PORT; see --help");
  }
  if (args.browse !== undefined && args._[0] !== undefined) unknownArgument(args._[0]);
  const loopback = interfaces().find((one) => one.loopback)?.name ?? "lo";
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  using _stop = onStop(stop);
  const timeout = args.timeout === undefined ? Infinity : number("timeout", args.timeout, 0.1, 86_400) * 1000;
  const timer = timeout === Infinity ? undefined : setTimeout(stop, timeout);
  const link = new Link(args.interface ?? loopback);
  if (args.browse !== undefined) {
    const count = args.count === "Infinity" ? Infinity : wholeNumber("count", args.count, 1, 1000);
    stopping.signal.addEventListener("abort", () => link[Symbol.dispose]());
    await browse(link, serviceType("browse", args.browse), count).catch((error) => {
      if (!stopping.signal.aborted) throw error;
    });
  } else {
    const host = label("--host", args.host ?? Deno.hostname().replace(/\..*/, ""));
    if (args._[0] === undefined) throw new TypeError("--announce needs a NAME and a PORT; see --help");
    const port = wholeArgument("PORT", args._[0], 1, 65_535);
    const [instance, type] = [label("--announce", args.announce!), serviceType("type", args.type)];
    await announce(link, { instance, type, host, port, txt: args.txt }, stopping.signal);
  }
  link[Symbol.dispose]();
  clearTimeout(timer);
}

try {
  await main();
} catch (error) {
  fail("mdns", error, {
    EADDRINUSE: "another program has port 5353 to itself",
    ENODEV: "see --interface",
  });
}
