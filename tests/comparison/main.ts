/**
 * Tries what each runtime can do, in two network namespaces of its own, and writes the table of the README anew:
 * `deno task compare`. Needs root, python3, Go, and npm for Node and Bun.
 *
 * @module
 */
import { NamespacePair } from "../support/namespaces.ts";
import { run } from "../support/process.ts";
import { ROOT } from "../support/repository.ts";

/** Versions from npm. Deno is the one that runs this; Go is the system's. */
const NODE = "26.10.0";
const BUN = "1.4.5";

/** A name of ::1 and 127.0.0.1, in this order. */
const NAME = "both.test";
const HOSTS = `127.0.0.1 localhost\n::1 ${NAME}\n127.0.0.1 ${NAME}\n`;

const BEGIN = "<!-- comparison -->";
const END = "<!-- /comparison -->";

/** What each row of the table is about, by the name of its probe. */
const ROWS: Readonly<Record<string, string>> = {
  udpReusePort: "`SO_REUSEPORT` for UDP",
  tcpReusePort: "`SO_REUSEPORT` for TCP listeners",
  anyOption: "any socket option before bind",
  multicast: "multicast by interface, IPv4 and IPv6",
  sourceSpecific: "source-specific multicast, IPv4",
  packetInfo: "destination, interface, TTL of a datagram",
  manyAtOnce: "many datagrams in one call",
  offload: "`UDP_SEGMENT`, `UDP_GRO`",
  localAddress: "TCP dialled from a chosen address",
  deadlines: "read and write deadlines",
  cancelDial: "cancelling a dial",
  happyEyeballs: "Happy Eyeballs",
  unixKinds: "Unix streams, datagrams, seqpacket",
  descriptorPassing: "passing descriptors, `SCM_RIGHTS`",
  credentials: "credentials of a Unix peer",
  inherited: "inheriting a listener as a descriptor",
  rawSockets: "raw sockets: ICMP",
};

type Verdict = boolean | string;
type Verdicts = Readonly<Record<string, Verdict>>;

const word = (verdict: Verdict | undefined) => verdict === true ? "yes" : verdict ? verdict : "no";

/** What a runtime's own API can do, else what it can do behind a flag or through the modules of Node. */
function cell(own: Verdict, flag: Verdict, node: Verdict): string {
  if (own && (flag === own || !flag)) return word(own);
  if (own) return `${own}; ${String(flag).replace(`${own}, `, "")}: flag`;
  const qualifier = typeof node === "string" ? `${node}, ` : "";
  const ways = [flag && "flag", node && `${qualifier}\`node:\``].filter(Boolean);
  return ways.length === 0 ? "no" : ways.join(", ");
}

/** Runs programs in a namespace whose interface does multicast, with the name of two addresses. */
class Machine implements AsyncDisposable {
  readonly #pair: NamespacePair;
  readonly #hosts: string;
  readonly #cwd = new URL("tests/comparison/", ROOT);

  private constructor(pair: NamespacePair, hosts: string) {
    this.#pair = pair;
    this.#hosts = hosts;
  }

  static async open(): Promise<Machine> {
    const hosts = await Deno.makeTempFile();
    await Deno.writeTextFile(hosts, HOSTS);
    const pair = await NamespacePair.create();
    await pair.left.run("ip", ["route", "add", "224.0.0.0/4", "dev", pair.left.interface]);
    return new Machine(pair, hosts);
  }

  async verdicts(...command: string[]): Promise<Verdicts> {
    const { left } = this.#pair;
    const script = `mount --bind ${this.#hosts} /etc/hosts && exec "$@"`;
    const env = { INTERFACE: left.interface, ADDRESS: left.ipv4, NAME };
    const words = ["-m", "sh", "-c", script, "sh", ...command];
    const { success, stdout, stderr, report } = await left.run("unshare", words, { cwd: this.#cwd, env });
    if (!success) throw new Error(report);
    console.log(`${command.slice(0, 4).join(" ")}\n${stdout}`);
    if (stderr !== "") console.log(stderr.replaceAll(/^/gm, "  "));
    return JSON.parse(stdout);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pair[Symbol.asyncDispose]();
    await Deno.remove(this.#hosts);
  }
}

/** Installs Node and Bun from npm into a folder. */
async function install(folder: string): Promise<{ node: string; bun: string }> {
  const { success, report } = await run("npm", ["install", "--prefix", folder, `node@${NODE}`, `bun@${BUN}`]);
  if (!success) throw new Error(report);
  return { node: `${folder}/node_modules/.bin/node`, bun: `${folder}/node_modules/.bin/bun` };
}

async function compare(folder: string): Promise<string> {
  const { node, bun } = await install(folder);
  const go = (await run("go", ["version"])).stdout.match(/go([\d.]+)/)![1]!;
  await using machine = await Machine.open();
  const deno = (...args: string[]) => machine.verdicts(Deno.execPath(), "run", "-A", "--no-check", ...args);
  const ours = await deno("berkeley.ts");
  const [own, flag, inDeno] = [await deno("deno.ts"), await deno("--unstable-net", "deno.ts"), await deno("node.mjs")];
  const inNode = await machine.verdicts(node, "node.mjs");
  const [ownOfBun, inBun] = [await machine.verdicts(bun, "bun.mjs"), await machine.verdicts(bun, "node.mjs")];
  const inGo = await machine.verdicts("go", "run", "main.go");

  const rows = Object.entries(ROWS).map(([key, title]) => [
    title,
    word(ours[key]),
    cell(own[key]!, flag[key]!, inDeno[key]!),
    word(inNode[key]),
    cell(ownOfBun[key]!, false, inBun[key]!),
    word(inGo[key]),
  ]);
  const head = [
    "",
    "Berkeley",
    `Deno ${short(Deno.version.deno)}`,
    `Node ${short(NODE)}`,
    `Bun ${short(BUN)}`,
    `Go ${short(go)}`,
  ];
  const lines = [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`);
  const date = new Date().toISOString().slice(0, 10);
  const versions = `Deno ${Deno.version.deno}, Node ${NODE}, Bun ${BUN} and Go ${go}`;
  return `${
    lines.join("\n")
  }\n\nEach cell was tried on ${date} on Linux x86_64 with ${versions}, by \`deno task compare\`: ` +
    "the runtimes without FFI, Go with its standard library alone.";
}

const short = (version: string) => version.split(".").slice(0, 2).join(".");

const folder = await Deno.makeTempDir();
try {
  const table = await compare(folder);
  const path = new URL("README.md", ROOT);
  const page = await Deno.readTextFile(path);
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin === -1 || end < begin) throw new TypeError(`README.md has no ${BEGIN} before a ${END}`);
  await Deno.writeTextFile(path, `${page.slice(0, begin)}${BEGIN}\n\n${table}\n\n${page.slice(end)}`);
} finally {
  await Deno.remove(folder, { recursive: true });
}
