import { assert, assertArrayIncludes, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { printedCommands, runExample } from "./support.ts";

noDescriptorLeaks();

const EXAMPLES = ["mtu", "multicast_chat", "ping", "reuse_port", "traceroute", "ws_discovery"];

/** The options in an example's call of parseArgs. */
async function optionsOf(example: string): Promise<string[]> {
  const source = await Deno.readTextFile(new URL(`../../examples/${example}.ts`, import.meta.url));
  const lists = Array.from(source.matchAll(/^ {4}(?:string|boolean): (\[.*\]),$/gm), ([, list]) => JSON.parse(list!));
  const options = lists.flat();
  assertArrayIncludes(options, ["help", "interface"]);
  return options;
}

for (const example of EXAMPLES) {
  describe(`examples/${example}.ts`, () => {
    it("prints all options on --help", async () => {
      const { success, stdout, report } = await runExample(example, "--help");
      assert(success, report);
      for (const option of await optionsOf(example)) assertMatch(stdout, new RegExp(`^  --${option} `, "m"));
    });

    it("needs permission for loopback only, unless another interface is named", async () => {
      for (const command of await printedCommands(example)) {
        const net = command.find((flag) => flag.startsWith("--allow-net"));
        // A raw socket receives from all hosts, so ping needs permission for the whole network.
        if (command.includes("--interface") || example === "ping") assertEquals(net, "--allow-net");
        else assertMatch(net!, /^--allow-net=(127\.0\.0\.1|\[::1\])(,239\.\d+\.\d+\.\d+)?$/);
      }
    });

    it("prints one line for an unknown option", async () => {
      const { code, stderr, report } = await runExample(example, "--bogus");
      assertEquals(code, 1, report);
      assertEquals(stderr, `${example}: unknown option --bogus; see --help`);
    });

    it("prints one line for an interface without permission", async () => {
      const { code, stderr, report } = await runExample(example, "--interface", "192.0.2.55");
      assertEquals(code, 1, report);
      // Without the right to open a socket for ICMP, ping does not come so far.
      const refusal = example === "ping"
        ? String.raw`bind 192\.0\.2\.55:0: cannot assign requested address.*|needs .*CAP_NET_RAW.*`
        : String.raw`Requires net access to "192\.0\.2\.55:\d+", .*--allow-net flag`;
      assertMatch(stderr, new RegExp(`^${example}: (${refusal})$`));
    });
  });
}

describe("a bad value", () => {
  const cases: [example: string, args: string[], line: RegExp][] = [
    ["multicast_chat", ["--port", "99999"], /^multicast_chat: --port 99999: expected a whole number from 1 to 65535$/],
    ["multicast_chat", ["--group", "127.0.0.1"], /^multicast_chat: Not a multicast group: "127\.0\.0\.1"/],
    ["traceroute", ["--hops", "0"], /^traceroute: --hops 0: expected a whole number from 1 to 255$/],
    ["traceroute", ["192.0.2.1"], /^traceroute: 192\.0\.2\.1 is not a loopback address; .*--interface ADDRESS$/],
    ["mtu", ["--port", "x"], /^mtu: --port x: expected a whole number from 1 to 65535$/],
    ["mtu", ["192.0.2.1"], /^mtu: 192\.0\.2\.1 is not a loopback address; .*--interface ADDRESS$/],
    ["ping", ["--count", "many"], /^ping: --count many: expected a whole number from 1 to 1000$/],
    ["ping", ["--count", "2.5"], /^ping: --count 2\.5: expected a whole number from 1 to 1000$/],
    ["ping", ["127.0.0.1", "127.0.0.2"], /^ping: unexpected argument 127\.0\.0\.2; see --help$/],
    ["ping", [""], /^ping: an argument is empty; see --help$/],
    ["ping", ["--count", ""], /^ping: --count needs a value; see --help$/],
    ["ping", ["--count"], /^ping: --count needs a value; see --help$/],
    ["ping", ["--cuont", "3"], /^ping: unknown option --cuont; did you mean --count\?$/],
    ["reuse_port", ["--port", "0x50"], /^reuse_port: --port 0x50: expected a whole number from 1 to 65535$/],
    ["ping", ["192.0.2.55"], /^ping: 192\.0\.2\.55 is not a loopback address; pass the address to send from/],
    ["reuse_port", ["--port", "0"], /^reuse_port: --port 0: expected a whole number from 1 to 65535$/],
    ["ws_discovery", ["--types", "<x>"], /^ws_discovery: --types <x>: expected names as wsdp:Device$/],
    ["ws_discovery", ["--timeout", "never"], /^ws_discovery: --timeout never: expected 0\.1 to 86400$/],
  ];
  for (const [example, args, line] of cases) {
    it(`prints one line: ${example} ${args.join(" ")}`, async () => {
      const { code, stderr, report } = await runExample(example, ...args);
      assertEquals(code, 1, report);
      assertMatch(stderr, line);
      assertEquals(stderr.split("\n").length, 1, report);
    });
  }
});
