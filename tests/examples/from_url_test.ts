import { assert, assertEquals, assertMatch } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { FileServer } from "../support/file_server.ts";
import { start } from "../support/process.ts";
import { ROOT } from "../support/repository.ts";
import { printedCommands } from "./support.ts";
import { withPath } from "./unix_support.ts";

noDescriptorLeaks();

/** What is imported from somewhere else, each with its reason. */
const PACKAGES: Readonly<Record<string, RegExp>> = {
  // Records of the DNS as a package of their own reads and writes them.
  "npm/dns_packet.ts": /^npm:dns-packet@\d+\.\d+\.\d+$/,
};

/** What an example that needs nobody else prints, by the arguments added to those in its header. One that `serves` is
 * stopped by Ctrl-C as soon as it has printed that. */
const RUNS: Readonly<Record<string, { args?: string[]; prints: RegExp; serves?: true }>> = {
  dns_relay: { args: ["--port", "0"], prints: /^Listening on 0\.0\.0\.0 port \d+/, serves: true },
  interfaces: { prints: /^lo\t\d+\tup,loopback/m },
  multicast_chat: { args: ["--name", "url"], prints: /^\* you are url on /, serves: true },
  // Without root, it depends on the system's settings whether it may.
  ...Deno.uid() === 0 ? { ping: { args: ["--count", "1"], prints: /^1 of 1 answered; /m } } : {},
  statsd_sink: { args: ["--port", "0"], prints: /^Listening on 127\.0\.0\.1 port \d+/, serves: true },
  tcp_echo_server: { args: ["--port", "0"], prints: /^Listening on 127\.0\.0\.1:\d+/, serves: true },
  unix_echo_server: { prints: /^Listening on .*\.sock/, serves: true },
  ws_discovery: {
    args: ["--timeout", "0.1", "--port", "3799"],
    prints: /^Asked 239\.255\.255\.250:3799 for wsdp:Device/,
  },
  dashboard: {
    args: ["--port", "0", "--seconds", "1"],
    prints: /^Open http:.*\n(worker \d: \d+ datagrams, .*\n?){4}$/,
  },
  demo: { prints: /^All \d+ checks passed/m },
  graceful_restart: { args: ["--restarts", "1"], prints: /^Restarts: 1, failures: 0$/m },
  http_reuse_port: { args: ["--requests", "8"], prints: /^worker 4/m },
  mtu: { prints: /^The MTU of the path to 127\.0\.0\.1 is 65535 bytes$/m },
  traceroute: { prints: /^ 1 {2}127\.0\.0\.1 {2}/m },
  pass_socket: { prints: /^Request 3: served by process \d+$/m },
  reuse_port: { args: ["--port", "12399"], prints: /received "test message" from 127\.0\.0\.1:12399$/m },
  tcp_fan_out: { prints: /^10 dials at once/ },
  udp_flood: { args: ["--seconds", "0.3", "--rate", "1000"], prints: /^Received \d+ datagrams/m },
};

let server: FileServer;
let folder: string;

beforeAll(async () => {
  server = new FileServer();
  folder = await Deno.makeTempDir();
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await Deno.remove(folder, { recursive: true });
});

/** Names of the programs among the examples: those whose header prints a command. */
function programs(): string[] {
  const names = Array.from(Deno.readDirSync(new URL("examples/", ROOT)), ({ name }) => name);
  const isProgram = (name: string) =>
    name.endsWith(".ts") && /^ \* {5}.*\bdeno run /m.test(Deno.readTextFileSync(new URL(`examples/${name}`, ROOT)));
  return names.filter(isProgram).map((name) => name.slice(0, -3)).sort();
}

function* sources(under: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(under, ROOT))) {
    if (isDirectory) yield* sources(`${under}${name}/`);
    else if (name.endsWith(".ts")) yield `${under}${name}`;
  }
}

/** What a source imports, by all ways of writing it. */
function specifiers(text: string): string[] {
  return Array.from(text.matchAll(/(?:^|\s)(?:from|import)\s*\(?\s*"([^"]+)"/g), ([, specifier]) => specifier!);
}

describe("The examples", () => {
  it("import by relative path or from what Deno contains", () => {
    const foreign: string[] = [];
    let count = 0;
    for (const path of sources("examples/")) {
      for (const specifier of specifiers(Deno.readTextFileSync(new URL(path, ROOT)))) {
        count++;
        const allowed = PACKAGES[path.slice("examples/".length)];
        if (!/^(\.\.?\/|node:)/.test(specifier) && !allowed?.test(specifier)) foreign.push(`${path}: ${specifier}`);
      }
    }
    assert(count > 50);
    assertEquals(foreign, []);
  });

  for (const name of programs()) {
    const { args, prints, serves } = RUNS[name] ?? { args: ["--help"], prints: /^ +--help +show this text/m };
    it(`run from a URL, in any folder, with the flags printed: ${name} ${(args ?? []).join(" ")}`, async () => {
      const [command] = await printedCommands(name);
      const path = `${folder}/example.sock`;
      const own = (word: string) => name === "demo" ? word : withPath(word, path);
      const [run, ...flags] = command!.map((word) => word === `examples/${name}.ts` ? server.url(word) : own(word));
      const usesPath = RUNS[name] !== undefined && flags.join(" ").includes(path);
      const env = {
        DENO_DIR: `${folder}/cache`,
        PATH: `${Deno.execPath().replace(/\/[^/]*$/, "")}:${Deno.env.get("PATH")}`,
      };
      const words = [run!, "--no-prompt", ...flags, ...(args ?? []), ...(usesPath ? ["--path", path] : [])];
      const options = { cwd: folder, env, stdin: serves === true };
      await using child = start(Deno.execPath(), words, options);
      if (serves) await child.waitForLine(prints);
      const { success, stdout, report } = serves ? await child.end("SIGINT") : await child.finished();
      assert(success, report);
      assertMatch(stdout, prints, report);
    });
  }
});
