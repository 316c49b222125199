import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { listen, listenDatagram } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { freePort, freeUdpPort, LOOPBACK } from "../support/loopback.ts";
import { missingNamespaces, NamespacePair } from "../support/namespaces.ts";
import { type Child, run } from "../support/process.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { connected, converse, finish, foreign, listening, missing, NC, nc } from "./nc_support.ts";
import { startExample } from "./support.ts";

noDescriptorLeaks();

const namespaces = await missingNamespaces();
const missingScript = await missingCommands("script");

describe("examples/nc.ts over TCP", TIMEOUT, () => {
  for (const [name, connecting] of [["nc", ["nc"]], ["ncat", ["ncat"]], ["socat", ["socat", "-"]]] as const) {
    itUnless(missing, `listens for ${name}`, async () => {
      const [ours, port] = await listening("0");
      await using _ours = ours;
      const [command, ...args] = connecting;
      const to = name === "socat" ? [`TCP4:${LOOPBACK}:${port}`] : [LOOPBACK, port];
      await using theirs = foreign(command!, ...args, ...to);
      await ours.waitForLine(/^connection from 127\.0\.0\.1 port \d+$/, "stderr");
      await converse(ours, theirs);
      await theirs.end("SIGINT");
      assertEquals((await ours.finished()).code, 0);
    });
  }

  itUnless(missing, "connects to socat and to ncat", async () => {
    for (const tool of ["socat", "ncat"]) {
      const port = String(freePort());
      const args = tool === "socat" ? ["-", `TCP4-LISTEN:${port},bind=${LOOPBACK},reuseaddr`] : ["-l", LOOPBACK, port];
      await using theirs = foreign(tool, ...args);
      const ours = await connected(port);
      await using _ours = ours;
      await converse(ours, theirs);
      await theirs.closeInput();
      await theirs.end("SIGINT");
      assertEquals((await ours.finished()).code, 0);
    }
  });

  it("shuts down the write side at the end of its input with -N, and ends with its peer; a megabyte arrives whole", async () => {
    const [server, port] = await listening("0");
    await using _server = server;
    const client = nc("-N", "-v", LOOPBACK, port);
    await using _client = client;
    const lines = Array.from({ length: 20_000 }, (_, index) => `line ${index} of some fifty bytes or so, more or less`);
    const text = lines.join("\n");
    await client.write(text);
    await client.closeInput();
    const { stdout, code } = await server.finished();
    assertEquals([stdout === text, code], [true, 0]);
    const ended = await client.finished();
    assertEquals(ended.code, 0);
    assertMatch(ended.stderr, /^sent 1(\.\d)? MiB|^sent \d{3}\.\d KiB/m);
  });

  it("serves one connection after another with -k", async () => {
    const [server, port] = await listening("-k", "0");
    await using _server = server;
    for (const text of ["first", "second", "third"]) {
      const client = nc("-N", LOOPBACK, port);
      await client.write(`${text}\n`);
      await client.closeInput();
      await server.waitForLine(new RegExp(`^${text}$`));
      assertEquals((await client.finished()).code, 0);
    }
  });

  it("ends a connection without traffic after -w, and a dial that is refused", async () => {
    const [server, port] = await listening("0");
    await using _server = server;
    const { code } = await finish(nc("-w", "0.2", LOOPBACK, port));
    assertEquals(code, 0);
    const refused = await finish(nc(LOOPBACK, String(freePort())));
    assertEquals(refused.code, 1);
    assertMatch(
      refused.stderr,
      /^nc: connect 127\.0\.0\.1:\d+: connection refused \(ECONNREFUSED\)$/,
    );
  });

  it("scans a range of ports with -z, as its header says", async () => {
    using one = listen({ hostname: LOOPBACK, port: 0 });
    const { port } = one.addr;
    const range = `${port - 2}-${port + 2}`;
    const { stdout, code, stderr } = await finish(nc("-zv", LOOPBACK, range));
    assertMatch(stdout, new RegExp(`^127\\.0\\.0\\.1 port ${port} \\(tcp\\) is open$`, "m"));
    assertEquals(code, 0);
    assertEquals(stdout.split("\n").length + stderr.split("\n").filter((line) => /ECONNREFUSED/.test(line)).length, 5);
    one.close();
    assertEquals((await finish(nc("-z", LOOPBACK, String(port)))).code, 1);
  });
});

describe("examples/nc.ts -z", TIMEOUT, () => {
  it("ends at Ctrl-C in the middle of a range", async () => {
    await using scanning = nc("-zv", LOOPBACK, "1-65535");
    await scanning.waitForLine(/^127\.0\.0\.1 port 1: /, "stderr");
    scanning.kill("SIGINT");
    const { signal, stdout, stderr } = await scanning.finished();
    assertEquals(signal, null);
    assertLess(`${stdout}\n${stderr}`.split("\n").length, 65_535);
  });
});

describe("examples/nc.ts over UDP", TIMEOUT, () => {
  for (const tool of ["nc", "ncat", "socat"] as const) {
    itUnless(missing, `exchanges datagrams with ${tool}, both ways`, async () => {
      const [ours, port] = await listening("-u", "0");
      await using _ours = ours;
      const to = tool === "socat" ? ["-", `UDP4:${LOOPBACK}:${port}`] : ["-u", LOOPBACK, port];
      await using theirs = foreign(tool, ...to);
      await converse(theirs, ours);
      await ours.end("SIGINT");

      const other = String(freeUdpPort());
      const from = {
        nc: ["-u", "-l", LOOPBACK, other],
        ncat: ["-u", "-l", LOOPBACK, other],
        socat: [
          "-",
          `UDP4-LISTEN:${other},bind=${LOOPBACK}`,
        ],
      };
      await using server = foreign(tool, ...from[tool]);
      await using client = nc("-u", LOOPBACK, other);
      await untilReceived(client, server);
      await server.write("from the other\n");
      await client.waitForLine(/^from the other$/);
    });
  }

  itUnless(missing, "joins a group, with socat as the sender", async () => {
    const port = String(freeUdpPort());
    const [ours] = await listening("-uk", "--join", "239.255.15.20", "--interface", "lo", port);
    await using _ours = ours;
    const send = ["-u", "STDIN", `UDP4-DATAGRAM:239.255.15.20:${port},ip-multicast-if=${LOOPBACK}`];
    for (const text of ["one", "two"]) {
      assert((await run("socat", send, { input: `${text}\n` })).success);
      await ours.waitForLine(new RegExp(`^${text}$`));
    }
    await using sender = nc("-uN", "--interface", "lo", "--ttl", "1", "239.255.15.20", port);
    await sender.write("three\n");
    await ours.waitForLine(/^three$/);
  });

  it("scans with -uz: a closed port refuses, an open one is silent", async () => {
    using open = listenDatagram({ transport: "udp", hostname: LOOPBACK });
    const found = await finish(nc("-uz", LOOPBACK, String(open.addr.port)));
    assertEquals([found.stdout, found.code], [`127.0.0.1 port ${open.addr.port} (udp) is open`, 0]);
    const closed = await finish(nc("-uzv", LOOPBACK, String(freeUdpPort())));
    assertEquals(closed.code, 1);
    assertMatch(closed.stderr, /ECONNREFUSED$/);
  });
});

describe("examples/nc.ts", TIMEOUT, () => {
  itUnless(namespaces, "works by the commands as they are printed", async () => {
    await using pair = await NamespacePair.create();
    const namespace = pair.left;
    const server = await startExample("nc", { namespace, stdin: true });
    await using _server = server;
    const scanner = async () => (await (await startExample("nc", { command: 3, namespace })).finished()).stdout;
    assertEquals(await scanner(), "");
    // 8080 is not among what is scanned: a client that came before the server listens is refused.
    for (let connected = false; !connected;) {
      const client = await startExample("nc", { command: 1, namespace, stdin: true });
      await client.write("by the header\n").catch(() => {});
      await client.closeInput().catch(() => {});
      connected = (await client.finished()).code === 0;
    }
    await server.waitForLine(/^by the header$/);
    const member = await startExample("nc", { command: 4, args: ["-v"], namespace, stdin: true });
    await using _member = member;
    await member.waitForLine(/^listening on 239\.255\.42\.99 port 4242$/, "stderr");
  });

  const WRONG: readonly (readonly [string[], RegExp])[] = [
    [[], /^nc: expected HOST PORT and not 0 arguments; see --help$/],
    [["-l"], /^nc: expected \[HOST\] PORT and not 0 arguments; see --help$/],
    [["-U"], /^nc: expected PATH and not 0 arguments; see --help$/],
    [["127.0.0.1", "http"], /^nc: PORT http: expected a whole number from 1 to 65535$/],
    [["-z", "127.0.0.1", "20-10"], /^nc: 20-10: expected a port or a range such as 20-25$/],
    [["--seqpacket", "127.0.0.1", "80"], /^nc: --seqpacket is for Unix sockets: pass -U with it$/],
    [["-w", "soon", "127.0.0.1", "80"], /^nc: --wait soon: expected 0\.1 to 86400$/],
  ];
  for (const [args, line] of WRONG) {
    it(`says in one line what is wrong with ${args.join(" ") || "no arguments"}`, async () => {
      const { code, stderr } = await finish(nc(...args));
      assertEquals(code, 1);
      assertMatch(stderr, line);
    });
  }

  itUnless(
    missingScript,
    "shows on a terminal how much is moved, and in a pipe nothing",
    async () => {
      const [server, port] = await listening("0");
      await using _server = server;
      const command = `${Deno.execPath()} run -A ${NC} -N --progress ${LOOPBACK} ${port} < /etc/passwd`;
      const { stdout } = await run("script", ["-qec", command, "/dev/null"]);
      assertMatch(stdout, /sent \d+(\.\d)? (B|KiB), received 0 B, .*\/s, \d+\.\d s/);
      await server.finished();
      const [again, other] = await listening("0");
      await using _again = again;
      const piped = nc("-N", "--progress", LOOPBACK, other);
      await piped.closeInput();
      assertEquals((await piped.finished()).stderr, "");
    },
  );
});

/** Sends until a server that has just been started has received it. */
async function untilReceived(client: Child, server: Child): Promise<void> {
  let received = false;
  const receiving = server.waitForLine(/^from the one$/).then(() => received = true);
  while (!received) {
    await client.write("from the one\n").catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await receiving;
}
