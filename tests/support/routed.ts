/**
 * Three network namespaces in a row: two hosts, and a router between them whose second cable has a smaller MTU. For what
 * only a router says: unreachable hosts, packets that are too large, hops that run out.
 *
 * @module
 */
import { run } from "./process.ts";

/** How long the kernel may take to bring the cables up. Not a measurement: a hang should end with a report. */
const UP_LIMIT_MS = 30_000;
const UP_STEP_MS = 10;

/** How many rows this process has made. */
let made = 0;

/** MTU of the cable behind the router, in bytes. */
export const NARROW_MTU = 1300;

/** Addresses of both hosts, and of the router on either side. */
export const ROUTED = {
  left: { ipv4: "192.0.2.1", ipv6: "2001:db8:1::1" },
  near: { ipv4: "192.0.2.254", ipv6: "2001:db8:1::fe" },
  far: { ipv4: "198.51.100.254", ipv6: "2001:db8:2::fe" },
  right: { ipv4: "198.51.100.1", ipv6: "2001:db8:2::1" },
  /** An address on the far cable that nobody has. */
  nobody: { ipv4: "198.51.100.77", ipv6: "2001:db8:2::77" },
} as const;

/** The names of the three namespaces; `await using` removes them. */
export class RoutedPair implements AsyncDisposable {
  private constructor(readonly left: string, readonly router: string, readonly right: string) {}

  /** Makes all three, and waits until packets pass. */
  static async create(): Promise<RoutedPair> {
    const name = `berkeley-${Deno.pid}-routed-${++made}`;
    const row = new RoutedPair(`${name}-left`, `${name}-router`, `${name}-right`);
    try {
      await row.#build();
      return row;
    } catch (error) {
      await row[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #build(): Promise<void> {
    const { left, router, right } = this;
    for (const name of [left, router, right]) await ip(["netns", "add", name]);
    await ip(["-n", left, "link", "add", "out", "type", "veth", "peer", "name", "near", "netns", router]);
    await ip(["-n", right, "link", "add", "out", "type", "veth", "peer", "name", "far", "netns", router]);
    await batch(router, [
      ...up("near", ROUTED.near),
      ...up("far", ROUTED.far),
      `link set far mtu ${NARROW_MTU}`,
    ]);
    await batch(left, [...up("out", ROUTED.left), ...defaultRoutes(ROUTED.near)]);
    await batch(right, [...up("out", ROUTED.right), ...defaultRoutes(ROUTED.far)]);
    await shell(router, "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding");
    // Errors are sent as often as they occur.
    const unlimited = "echo 0 > /proc/sys/net/ipv4/icmp_ratelimit; echo 0 > /proc/sys/net/ipv6/icmp/ratelimit";
    for (const name of [left, router, right]) await shell(name, unlimited);
    await waitUntilUp(left, right);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { stdout } = await ip(["netns", "list"]);
    const names = new Set(stdout.split("\n").map((line) => line.split(" ")[0]));
    for (const name of [this.left, this.router, this.right]) {
      if (names.has(name)) await ip(["netns", "delete", name]);
    }
  }
}

function up(device: string, { ipv4, ipv6 }: { ipv4: string; ipv6: string }): string[] {
  return [
    `address add ${ipv4}/24 dev ${device}`,
    `address add ${ipv6}/64 dev ${device} nodad`,
    `link set ${device} up`,
    "link set lo up",
  ];
}

function defaultRoutes({ ipv4, ipv6 }: { ipv4: string; ipv6: string }): string[] {
  return [`route add default via ${ipv4}`, `-6 route add default via ${ipv6}`];
}

async function batch(name: string, lines: readonly string[]): Promise<void> {
  for (const line of lines) await ip(["-n", name, ...line.split(" ")]);
}

async function shell(name: string, script: string): Promise<void> {
  const { success, report } = await run("ip", ["netns", "exec", name, "sh", "-c", script]);
  if (!success) throw new Error(report);
}

/** The two hosts reach each other over both families. */
async function waitUntilUp(left: string, right: string): Promise<void> {
  const limit = performance.now() + UP_LIMIT_MS;
  for (;;) {
    const states = await Promise.all(
      [left, right].map((name) => ip(["-n", name, "-json", "link", "show", "dev", "out"])),
    );
    const isUp = states.every(({ stdout }) => (JSON.parse(stdout) as { operstate: string }[])[0]?.operstate === "UP");
    if (isUp) return;
    if (performance.now() > limit) throw new Error(states.map(({ report }) => report).join("\n"));
    await new Promise((resolve) => setTimeout(resolve, UP_STEP_MS));
  }
}

async function ip(args: string[]): Promise<{ stdout: string; report: string }> {
  const finished = await run("ip", args);
  if (!finished.success) throw new Error(finished.report);
  return finished;
}
