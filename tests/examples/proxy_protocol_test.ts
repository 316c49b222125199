import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { readHeader, type Reading } from "../../examples/proxy_protocol/header.ts";
import { bytes } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { freePort, LOOPBACK } from "../support/loopback.ts";
import { missingNamespaces, NamespacePair } from "../support/namespaces.ts";
import { type Child, run, start } from "../support/process.ts";
import { generator, randomBytes } from "../support/random.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { startExample } from "./support.ts";

noDescriptorLeaks();

const reason = await missingCommands("haproxy", "curl");
const namespaces = reason ?? await missingNamespaces();

async function startServer(...args: string[]): Promise<{ server: Child; port: number }> {
  const server = await startExample("proxy_protocol", { args: ["--port", "0", ...args] });
  const [, port] = await server.waitForLine(/^Listening on \S+ port (\d+); Ctrl-C stops$/);
  return { server, port: Number(port) };
}

/** HAProxy's configuration: one frontend, and a server that gets the header of a version. */
function configuration(binds: readonly string[], to: string, words: string): string {
  return [
    "global",
    "  stats timeout 10s",
    "defaults",
    "  mode tcp",
    "  timeout connect 10s",
    "  timeout client 10s",
    "  timeout server 10s",
    "listen app",
    ...binds.map((bind) => `  bind ${bind}`),
    `  server app ${to} ${words}`,
    "",
  ].join("\n");
}

async function withConfiguration(text: string, body: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".cfg" });
  try {
    await Deno.writeTextFile(path, text);
    await body(path);
  } finally {
    await Deno.remove(path);
  }
}

/** A header of version 2. */
function version2(command: number, family: number, addresses: readonly number[]): Uint8Array<ArrayBuffer> {
  const signature = [0x0d, 0x0a, 0x0d, 0x0a, 0, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
  const { length } = addresses;
  return Uint8Array.of(...signature, 0x20 | command, family, length >> 8, length & 255, ...addresses);
}

const IPV4 = [192, 0, 2, 7, 192, 0, 2, 1, 0x15, 0xb3, 0, 80];

describe("readHeader() of examples/proxy_protocol", () => {
  const about = { client: "192.0.2.7:5555", server: "192.0.2.1:80" };
  const line = "PROXY TCP4 192.0.2.7 192.0.2.1 5555 80\r\n";
  const longLine = `PROXY TCP6 ${"f".repeat(90)} ${"f".repeat(39)} 65535 65535\r\n`;
  const cases: readonly (readonly [name: string, given: Uint8Array, expected: Reading | "error"])[] = [
    ["version 1", bytes(`${line}GET /`), { header: { length: line.length, about } }],
    ["version 1, unknown", bytes("PROXY UNKNOWN whatever it says\r\n"), { header: { length: 32, about: null } }],
    ["the beginning of version 1", bytes("PROXY TC"), { atLeast: 9 }],
    ["one letter", bytes("P"), { atLeast: 2 }],
    ["version 1 over 107 bytes", bytes(longLine), "error"],
    ["a port beyond 65535", bytes("PROXY TCP4 192.0.2.7 192.0.2.1 65536 80\r\n"), "error"],
    ["an address that is none", bytes("PROXY TCP4 example 192.0.2.1 1 80\r\n"), "error"],
    ["a request without a header", bytes("GET / HTTP/1.1\r\n"), "error"],
    ["another word with a P", bytes("POST / HTTP/1.1\r\n"), "error"],
    ["version 2", version2(1, 0x11, IPV4), { header: { length: 28, about } }],
    ["version 2 with more behind", version2(1, 0x11, [...IPV4, 3, 0, 1, 9]), { header: { length: 32, about } }],
    ["version 2 of a health check", version2(0, 0, []), { header: { length: 16, about: null } }],
    ["version 2 of a Unix socket", version2(1, 0x31, new Array(216).fill(0)), { header: { length: 232, about: null } }],
    ["the beginning of version 2", version2(1, 0x11, IPV4).subarray(0, 5), { atLeast: 16 }],
    ["version 2 without its addresses", version2(1, 0x11, IPV4).subarray(0, 20), { atLeast: 28 }],
    ["version 2 too short for its addresses", version2(1, 0x11, IPV4.slice(0, 8)), "error"],
    ["version 3", version2(1, 0x11, IPV4).with(12, 0x31), "error"],
  ];
  for (const [name, given, expected] of cases) {
    it(`reads ${name}`, () => {
      const reading = readHeader(given);
      if (expected === "error") assert("error" in reading, JSON.stringify(reading));
      else assertEquals(reading, expected);
    });
  }

  it("takes any bytes", () => {
    const below = generator(15);
    for (let round = 0; round < 5_000; round++) {
      const given = version2(below(3), below(256), [...randomBytes(below, below(40))]);
      for (let index = below(4); index > 0; index--) given[below(given.length)] = below(256);
      readHeader(given.subarray(0, below(given.length + 1)));
    }
  });
});

describe("examples/proxy_protocol.ts", TIMEOUT, () => {
  for (const [version, words] of [[1, "send-proxy"], [2, "send-proxy-v2"]] as const) {
    itUnless(reason, `prints the real client behind HAProxy, version ${version}`, async () => {
      const { server, port } = await startServer();
      await using _server = server;
      const front = freePort();
      const text = configuration([`${LOOPBACK}:${front}`], `${LOOPBACK}:${port}`, words);
      await withConfiguration(text, async (path) => {
        await using _proxy = startProxy(path);
        const get = [
          "--silent",
          "--retry",
          "50",
          "--retry-connrefused",
          "--retry-delay",
          "0",
          "--interface",
          "127.0.0.7",
        ];
        const { stdout, report } = await run("curl", [...get, `http://${LOOPBACK}:${front}/page`]);
        const { client, server: dialled, proxy } = JSON.parse(stdout || report);
        assertMatch(client, /^127\.0\.0\.7:\d+$/);
        assertEquals([dialled, proxy], [`${LOOPBACK}:${front}`, LOOPBACK]);
        await server.waitForLine(/^127\.0\.0\.7:\d+ GET \/page$/);
      });
    });
  }

  itUnless(
    namespaces,
    "prints the real client on another host, over IPv4 and IPv6, and accepts health checks",
    async () => {
      await using pair = await NamespacePair.create();
      const server = await startExample("proxy_protocol", { namespace: pair.right, args: ["--port", "8080"] });
      await using _server = server;
      await server.waitForLine(/^Listening/);
      const binds = [`${pair.right.ipv4}:80`, `[${pair.right.ipv6}]:80`];
      const words = "check inter 200ms send-proxy-v2 check-send-proxy";
      await withConfiguration(configuration(binds, `${LOOPBACK}:8080`, words), async (path) => {
        await using _proxy = pair.right.start("haproxy", ["-db", "-f", path]);
        const get = ["--silent", "--retry", "50", "--retry-connrefused", "--retry-delay", "0", "--globoff"];
        for (const [to, from] of [[pair.right.ipv4, pair.left.ipv4], [`[${pair.right.ipv6}]`, `[${pair.left.ipv6}]`]]) {
          const { stdout, report } = await pair.left.run("curl", [...get, `http://${to}/`]);
          const { client, server: dialled } = JSON.parse(stdout || report);
          assertEquals([client.replace(/:\d+$/, ""), dialled], [from, `${to}:80`]);
        }
      });
    },
  );

  it("waits for a header that comes in pieces, and takes nothing of what follows", async () => {
    const { server, port } = await startServer();
    await using _server = server;
    for (const head of [bytes("PROXY TCP4 192.0.2.7 192.0.2.1 5555 80\r\n"), version2(1, 0x11, IPV4)]) {
      using conn = await Deno.connect({ hostname: LOOPBACK, port });
      conn.setNoDelay(true);
      for (const byte of head) {
        await conn.write(Uint8Array.of(byte));
        await new Promise((resolve) => setTimeout(resolve));
      }
      await conn.write(bytes("GET /pieces HTTP/1.0\r\n\r\n"));
      const answer = await new Response(conn.readable).text();
      assertMatch(answer, /"client":"192\.0\.2\.7:5555","server":"192\.0\.2\.1:80"/);
    }
  });

  it("refuses who has no header, or half of one, or is no proxy of ours", async () => {
    const { server, port } = await startServer();
    await using _server = server;
    const say = async (text: string, to = port) => {
      const conn = await Deno.connect({ hostname: LOOPBACK, port: to });
      await conn.write(bytes(text));
      await conn.closeWrite();
      await conn.readable.cancel();
    };
    await say("GET / HTTP/1.1\r\n\r\n");
    await server.waitForLine(/^127\.0\.0\.1 port \d+: no PROXY header$/);
    await say("PROXY TCP4 192.0");
    await server.waitForLine(/^127\.0\.0\.1 port \d+: the connection ended in the middle of a header$/);
    const { server: strict, port: other } = await startServer("--trust", "192.0.2.9");
    await using _strict = strict;
    await say("PROXY TCP4 192.0.2.7 192.0.2.1 5555 80\r\n", other);
    await strict.waitForLine(/^127\.0\.0\.1 port \d+: not a trusted proxy$/);
  });
});

function startProxy(path: string): Child {
  return start("haproxy", ["-db", "-f", path]);
}
