/**
 * Two network namespaces joined by a cable, for traffic that loopback cannot show: multicast that leaves an interface,
 * programs that answer from another machine's address. Nothing of the machine's own network is touched.
 *
 * @module
 */
import { type Child, commandExists, type Finished, run, start, type StartOptions } from "./process.ts";

/** How long the kernel may take to bring the cable up. Not a measurement: a hang should end with a report. */
const UP_LIMIT_MS = 30_000;
const UP_STEP_MS = 10;

/** The interface in either namespace. */
const INTERFACE = "veth0";

/** How many pairs this process has made. */
let made = 0;

/** One end of the cable. */
export class Namespace {
  /** Its interface. */
  readonly interface: string = INTERFACE;

  constructor(
    /** The name that `ip netns` knows it by. */
    readonly name: string,
    /** Its IPv4 address; both are in one /24. */
    readonly ipv4: string,
    /** Its global IPv6 address; both are in one /64. */
    readonly ipv6: string,
    /** Its link-local IPv6 address, without a zone. */
    readonly linkLocal: string,
  ) {}

  /** Starts a command inside. */
  start(command: string, args: readonly string[] = [], options: StartOptions = {}): Child {
    return start("ip", ["netns", "exec", this.name, command, ...args], options);
  }

  /** Runs a command inside to its end. */
  run(command: string, args: readonly string[] = [], options: Omit<StartOptions, "stdin"> = {}): Promise<Finished> {
    return run("ip", ["netns", "exec", this.name, command, ...args], options);
  }
}

/** Two namespaces and the cable between them; `await using` removes them. */
export class NamespacePair implements AsyncDisposable {
  private constructor(readonly left: Namespace, readonly right: Namespace) {}

  /** Makes both, and waits until either can send to the other over IPv4, IPv6 and multicast. */
  static async create(): Promise<NamespacePair> {
    const name = `berkeley-${Deno.pid}-${++made}`;
    const left = new Namespace(`${name}-left`, "192.0.2.1", "2001:db8::1", "fe80::1");
    const right = new Namespace(`${name}-right`, "192.0.2.2", "2001:db8::2", "fe80::2");
    const pair = new NamespacePair(left, right);
    try {
      await ip("netns", "add", left.name);
      await ip("netns", "add", right.name);
      await ip(
        "-n",
        left.name,
        "link",
        "add",
        INTERFACE,
        "type",
        "veth",
        "peer",
        "name",
        INTERFACE,
        "netns",
        right.name,
      );
      await Promise.all([configure(left), configure(right)]);
      await Promise.all([waitUntilUp(left), waitUntilUp(right)]);
      return pair;
    } catch (error) {
      await pair[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Removes both. A process still inside keeps its own alive until it ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { stdout } = await ip("netns", "list");
    const names = new Set(stdout.split("\n").map((line) => line.split(" ")[0]));
    for (const { name } of [this.left, this.right]) {
      if (names.has(name)) await ip("netns", "delete", name);
    }
  }
}

/** Why this process cannot make namespaces, tried out, or null. */
export async function missingNamespaces(): Promise<string | null> {
  if (Deno.build.os !== "linux") return `no network namespaces on ${Deno.build.os}`;
  if (!await commandExists("ip")) return "no network namespaces: iproute2 is not installed";
  const name = `berkeley-${Deno.pid}-probe`;
  const added = await run("ip", ["netns", "add", name]);
  if (!added.success) return `no network namespaces: ${added.stderr.trim()}`;
  const linked = await run("ip", ["-n", name, "link", "add", INTERFACE, "type", "veth", "peer", "name", "veth1"]);
  await ip("netns", "delete", name);
  return linked.success ? null : `no virtual cables: ${linked.stderr.trim()}`;
}

async function configure({ name, ipv4, ipv6, linkLocal }: Namespace): Promise<void> {
  // The kernel's own link-local address would be probed for duplicates, for a second and more.
  await ip("-n", name, "link", "set", INTERFACE, "addrgenmode", "none");
  await ip("-n", name, "address", "add", `${ipv4}/24`, "broadcast", "+", "dev", INTERFACE);
  await ip("-n", name, "address", "add", `${ipv6}/64`, "dev", INTERFACE, "nodad");
  await ip("-n", name, "address", "add", `${linkLocal}/64`, "dev", INTERFACE, "nodad");
  await ip("-n", name, "link", "set", "lo", "up");
  await ip("-n", name, "link", "set", INTERFACE, "up");
}

async function waitUntilUp({ name }: Namespace): Promise<void> {
  const limit = performance.now() + UP_LIMIT_MS;
  for (;;) {
    const [addresses, routes] = await Promise.all([
      ip("-n", name, "-json", "address", "show", "dev", INTERFACE),
      // IPv6 multicast is unreachable until this route is there, which is some time after the carrier.
      ip("-n", name, "-6", "route", "show", "table", "local", "type", "multicast"),
    ]);
    if (isUp(addresses.stdout) && routes.stdout.includes(`dev ${INTERFACE}`)) return;
    if (performance.now() > limit) throw new Error(`${name} did not come up\n${addresses.report}\n${routes.report}`);
    await new Promise((resolve) => setTimeout(resolve, UP_STEP_MS));
  }
}

/** Carrier is there and no address is still being probed for duplicates. */
function isUp(json: string): boolean {
  const [link] = JSON.parse(json) as { operstate: string; addr_info: { tentative?: boolean }[] }[];
  return link?.operstate === "UP" && !link.addr_info.some(({ tentative }) => tentative === true);
}

async function ip(...args: string[]): Promise<Finished> {
  const finished = await run("ip", args);
  if (!finished.success) throw new Error(finished.report);
  return finished;
}
