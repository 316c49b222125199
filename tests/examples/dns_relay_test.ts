import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { listenDatagram } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { missingNamespaces, NamespacePair } from "../support/namespaces.ts";
import { type Child, run, startDeno } from "../support/process.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import {
  A,
  AAAA,
  ask,
  client,
  FORMAT_ERROR,
  NAME_ERROR,
  NO_ERROR,
  NOT_IMPLEMENTED,
  query,
  read,
  SERVER_FAILURE,
  TIMEOUT_MS,
  TXT,
} from "./dns_message.ts";
import { printedCommands, runExample, startExample } from "./support.ts";

noDescriptorLeaks();

const noDig = await missingCommands("dig");
const noNamespaces = await missingNamespaces();

const EXAMPLE = new URL("../../examples/dns_relay.ts", import.meta.url);

async function waitForPort(server: Child): Promise<number> {
  const [, port] = await server.waitForLine(/^Listening on \S+ port (\d+); Ctrl-C stops$/);
  return Number(port);
}

async function startServer(...args: string[]): Promise<{ server: Child; port: number }> {
  const server = await startExample("dns_relay", { args: ["--port", "0", ...args] });
  return { server, port: await waitForPort(server) };
}

describe("examples/dns_relay.ts --workers", () => {
  itUnless(
    Deno.build.os === "linux" ? null : "no steering here",
    "spreads the queries of one client by number",
    async () => {
      const server = await startExample("dns_relay", { command: 2, args: ["--port", "0"] });
      await using _server = server;
      const port = await waitForPort(server);
      for (let id = 0x1200; id < 0x1200 + 12; id++) {
        const asked = query(id, "berkeley.test", A);
        const { code, records } = read(await ask("127.0.0.3", port, asked), asked);
        assertEquals([code, records], [NO_ERROR, ["1 c0000207"]]);
        await server.waitForLine(
          new RegExp(`^worker ${id % 4 + 1}: 127\\.0\\.0\\.1 port \\d+ asked 127\\.0\\.0\\.3 for berkeley`),
        );
      }
      const { code, report } = await server.end("SIGINT");
      assertEquals(code, 0, report);
    },
  );
});

describe("examples/dns_relay.ts", () => {
  it("answers from the address that a query was sent to, whichever it is", async () => {
    const { server, port } = await startServer();
    await using _server = server;
    for (const hostname of ["127.0.0.1", "127.0.0.2", "127.200.3.4"]) {
      const question = query(0x1234, "berkeley.test", A);
      const answer = await ask(hostname, port, question);
      assertEquals(read(answer, question), { code: NO_ERROR, records: ["1 c0000207"], cut: false });
      await server.waitForLine(
        new RegExp(`^127\\.0\\.0\\.1 port \\d+ asked ${hostname} for berkeley\\.test A: 192\\.0\\.2\\.7$`),
      );
    }
  });

  it("answers a query to 127.0.0.2 from 127.0.0.2", async () => {
    const { server, port } = await startServer();
    await using _server = server;
    using socket = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
    socket.setDeadline(new Date(Date.now() + TIMEOUT_MS));
    await socket.send(query(1, "berkeley.test", A), { transport: "udp", hostname: "127.0.0.2", port });
    const [, from] = await socket.receive();
    assertEquals(from, { transport: "udp", hostname: "127.0.0.2", port });
  });

  it("answers with all given records of a name, of both types, in any case", async () => {
    const records = ["one.test=192.0.2.1", "ONE.test.=192.0.2.2", "one.test=::1", "two.test=2001:db8::1:0:9"];
    const { server, port } = await startServer(...records.flatMap((record) => ["--record", record]));
    await using _server = server;
    const cases: [name: string, type: number, code: number, records: string[]][] = [
      ["one.test", A, NO_ERROR, ["1 c0000201", "1 c0000202"]],
      ["oNe.TEST", AAAA, NO_ERROR, ["28 00000000000000000000000000000001"]],
      ["two.test", AAAA, NO_ERROR, ["28 20010db8000000000000000100000009"]],
      ["two.test", A, NO_ERROR, []],
      ["one.test", TXT, NO_ERROR, []],
      ["berkeley.test", A, NAME_ERROR, []],
    ];
    for (const [name, type, code, records] of cases) {
      const question = query(7, name, type);
      const answer = await ask("127.0.0.1", port, question);
      assertEquals([...answer.subarray(12, question.length)], [...question.subarray(12)]);
      assertEquals(read(answer, question), { code, records, cut: false }, `${name} ${type}`);
    }
  });

  it("truncates an answer of more than 512 bytes and sets the flag", async () => {
    const records = Array.from({ length: 40 }, (_, i) => ["--record", `many.test=192.0.2.${i}`]).flat();
    const { server, port } = await startServer(...records);
    await using _server = server;
    const question = query(7, "many.test", A);
    const answer = await ask("127.0.0.1", port, question);
    const { records: found, cut } = read(answer, question);
    assertEquals([cut, found.length], [true, Math.floor((512 - question.length) / 16)]);
  });

  it("answers many clients at several addresses at once, each from the right one", async () => {
    const { server, port } = await startServer();
    await using _server = server;
    await Promise.all(Array.from({ length: 50 }, async (_, index) => {
      const question = query(index, "berkeley.test", index % 2 === 0 ? A : AAAA);
      const answer = await ask(`127.0.0.${index + 1}`, port, question);
      assertEquals(read(answer, question).records.length, 1);
    }));
  });

  it("refuses invalid queries, and survives any input", async () => {
    const { server, port } = await startServer();
    await using _server = server;
    using socket = client("127.0.0.1", port);
    const good = query(9, "berkeley.test", A);
    const silent = [
      new Uint8Array(0),
      new Uint8Array(11),
      good.with(2, 0x81),
      crypto.getRandomValues(good).with(2, 0x80),
    ];
    for (const message of silent) await socket.send(message);
    const refused: [message: Uint8Array, code: number][] = [
      [query(1, "berkeley.test", A).with(2, 0x29), NOT_IMPLEMENTED],
      [query(2, "berkeley.test", A).with(5, 2), FORMAT_ERROR],
      [query(3, "berkeley.test", A).subarray(0, 20), FORMAT_ERROR],
      [query(4, "berkeley.test", A).with(12, 0xc0), FORMAT_ERROR],
      [query(5, Array(60).fill("a").join(".").repeat(4), A), FORMAT_ERROR],
    ];
    for (const [message, code] of refused) {
      await socket.send(message);
      const [answer] = await socket.receive(); // And none to what came before.
      assertEquals([answer[1], answer[3]! & 15, answer.length], [message[1], code, 12]);
    }
    await socket.send(query(6, "\x1b[31m.b\x07", A));
    assertEquals((await socket.receive())[0][3]! & 15, NAME_ERROR);
    await server.waitForLine(/^\S+ port \d+ asked 127\.0\.0\.1 for \?\[31m\.b\? A: no such name$/);
  });

  it("relays other names, and the answers back in any order", async () => {
    using upstream = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
    upstream.setDeadline(new Date(Date.now() + TIMEOUT_MS));
    const { server, port } = await startServer("--upstream", `127.0.0.1:${upstream.addr.port}`);
    await using _server = server;
    const questions = ["one.example", "two.example"].map((name) => query(5, name, TXT));
    const answers = questions.map((question, index) => ask(`127.0.0.${index + 1}`, port, question));
    const asked = [await upstream.receive(), await upstream.receive()];
    for (const [message, from] of asked.reverse()) {
      // First something that does not belong there.
      await upstream.send(Uint8Array.of(9, 9, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0), from);
      await upstream.send(Uint8Array.from([...message.with(2, 0x81), 42]), from);
    }
    for (const [index, answer] of (await Promise.all(answers)).entries()) {
      assertEquals([...answer], [...questions[index]!.with(2, 0x81), 42]);
    }
    await server.waitForLine(/^127\.0\.0\.1 port \d+ asked 127\.0\.0\.\d for (one|two)\.example TXT: relayed$/);
  });

  it("answers with a failure if the upstream does not answer", async () => {
    using silent = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
    const { server, port } = await startServer("--upstream", `127.0.0.1:${silent.addr.port}`);
    await using _server = server;
    const question = query(5, "one.example", A);
    const answer = await ask("127.0.0.2", port, question);
    assertEquals(read(answer, question).code, SERVER_FAILURE);
    await server.waitForLine(/for one\.example A: recvmsg: deadline exceeded$/);
  });

  it("answers both families on a dual-stack socket", async () => {
    const flags = ["--allow-ffi", "--allow-net=[::],127.0.0.0/8,[::1],[::ffff:127.0.0.1]"];
    await using server = startDeno(EXAMPLE, { flags, args: ["--host", "::", "--port", "0"] });
    const port = await waitForPort(server);
    for (const hostname of ["::1", "127.0.0.2"]) {
      const question = query(5, "berkeley.test", AAAA);
      const answer = await ask(hostname, port, question);
      assertEquals(read(answer, question).records, ["28 20010db8000000000000000000000007"]);
      await server.waitForLine(new RegExp(`^\\S+ port \\d+ asked ${hostname} for berkeley\\.test AAAA: 2001:db8::7$`));
    }
  });

  itUnless(noNamespaces, "answers a network only at a given address", async () => {
    await using pair = await NamespacePair.create();
    const { left, right } = pair;
    const secondary = "198.51.100.77";
    const added = await right.run("ip", ["address", "add", `${secondary}/32`, "dev", right.interface]);
    assert(added.success, added.report);
    const route = await left.run("ip", ["route", "add", `${secondary}/32`, "via", right.ipv4]);
    assert(route.success, route.report);
    const args = ["--port", "5300", "--interface", secondary];
    await using server = await startExample("dns_relay", { namespace: right, command: 1, args });
    await waitForPort(server);
    const asker = `
      const socket = Deno.listenDatagram({ transport: "udp", hostname: "0.0.0.0", port: 0 });
      const [question, ...hostnames] = Deno.args;
      const data = Uint8Array.fromBase64(question);
      for (const hostname of hostnames) await socket.send(data, { transport: "udp", hostname, port: 5300 });
      const [, from] = await socket.receive();
      console.log("from", from.hostname);
      Deno.exit();`;
    const question = query(5, "berkeley.test", A).toBase64();
    await using child = left.start(Deno.execPath(), ["eval", "--unstable-net", asker, question, right.ipv4, secondary]);
    // The first address was asked first, and stays silent.
    await child.waitForLine(new RegExp(`^from ${secondary.replaceAll(".", "\\.")}$`));
  });

  itUnless(noDig, "works with dig, as in its header", async () => {
    const { server, port } = await startServer();
    await using _server = server;
    for (const [hostname, type, address] of [["127.0.0.1", "A", "192.0.2.7"], ["127.0.0.2", "AAAA", "2001:db8::7"]]) {
      const args = [`@${hostname}`, "-p", String(port), "+short", "+timeout=30", "berkeley.test", type!];
      const { code, stdout, report } = await run("dig", args);
      assertEquals([code, stdout], [0, address], report);
    }
  });

  it("stops on Ctrl-C", async () => {
    const { server } = await startServer();
    await using _server = server;
    const { code, report } = await server.end("SIGINT");
    assertEquals(code, 0, report);
  });

  it("prints one line if the port is in use", async () => {
    using holder = listenDatagram({ transport: "udp", hostname: "0.0.0.0" });
    const { port } = holder.addr;
    const { code, stderr, report } = await runExample("dns_relay", "--port", String(port));
    assertEquals(code, 1, report);
    assertMatch(stderr, new RegExp(`^dns_relay: bind 0\\.0\\.0\\.0:${port}: address already in use .*$`));
  });
});

describe("The command line of examples/dns_relay.ts", () => {
  it("prints all options on --help", async () => {
    const { success, stdout, report } = await runExample("dns_relay", "--help");
    assert(success, report);
    for (const option of ["record", "upstream", "host", "port", "interface", "workers", "help"]) {
      assertStringIncludes(stdout, `--${option} `);
    }
  });

  it("needs permission for the wildcard address and loopback only, unless an upstream is named", async () => {
    const loopback = ["run", "--allow-ffi", "--allow-net=0.0.0.0,127.0.0.0/8", "examples/dns_relay.ts"];
    const network = ["run", "--allow-ffi", "--allow-net", "examples/dns_relay.ts", "--upstream", "192.0.2.53:53"];
    const workers = [...loopback.slice(0, -1), "--allow-read=examples,ffi,mod.ts", loopback.at(-1)!, "--workers", "4"];
    assertEquals(await printedCommands("dns_relay"), [loopback, network, workers]);
  });

  const mistakes: [args: string[], line: RegExp][] = [
    [["--bogus"], /^unknown option --bogus; see --help$/],
    [["--port", "http"], /^--port http: expected a whole number from 0 to 65535$/],
    [["--record", "one.test"], /^--record one\.test: expected NAME=ADDRESS, such as host\.test=192\.0\.2\.1$/],
    [["--record", "a.test=1.2.3.256"], /^--record a\.test=1\.2\.3\.256: expected NAME=ADDRESS/],
    [["--record", "a.test=:::1"], /^--record a\.test=:::1: expected NAME=ADDRESS/],
    [["--upstream", "192.0.2.53"], /192\.0\.2\.53/],
    [["--host", "192.0.2.55"], /^Requires net access to "192\.0\.2\.55:5300", .*--allow-net flag$/],
  ];
  for (const [args, line] of mistakes) {
    it(`prints one line for ${args.join(" ")}`, async () => {
      const { code, stdout, stderr, report } = await runExample("dns_relay", ...args);
      assertEquals(code, 1, report);
      assertEquals(stdout, "");
      assertMatch(stderr, /^dns_relay: .*$/);
      assertMatch(stderr.replace("dns_relay: ", ""), line);
    });
  }
});
