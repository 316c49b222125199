import { assert, assertEquals, assertLessOrEqual, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { request } from "node:http";
import { connect, listen, listenDatagram, type TcpConn } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { FileServer } from "../support/file_server.ts";
import { freePort, freeUdpPort, LOOPBACK } from "../support/loopback.ts";
import { missingNamespaces, NamespacePair } from "../support/namespaces.ts";
import { type Child, run, start } from "../support/process.ts";
import { ROOT } from "../support/repository.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import { NAME, type Program, programs } from "./programs.ts";

noDescriptorLeaks();

/** Lines of a recipe at most. */
const LONGEST = 20;
const noOpenssl = await missingCommands("openssl");
const noNamespaces = await missingNamespaces();

let server: FileServer;
let folder: string;
/** A folder for each way of getting the module, with an import map that names it. */
const ways: { way: "path" | "URL"; flags: string[]; folder: string }[] = [];

beforeAll(async () => {
  server = new FileServer();
  folder = await Deno.makeTempDir({ prefix: "berkeley-" });
  ways.push({ way: "path", flags: [], folder: `${folder}/path` });
  ways.push({ way: "URL", flags: [`--allow-import=${server.host}`], folder: `${folder}/url` });
  for (const { way, folder } of ways) {
    await Deno.mkdir(folder);
    const module = way === "path" ? new URL("mod.ts", ROOT).pathname : server.url("mod.ts");
    await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify({ imports: { [NAME]: module }, lock: false }));
    for (const { file, text } of programs) await Deno.writeTextFile(`${folder}/${file}`, text);
  }
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await Deno.remove(folder, { recursive: true });
});

/** What a started program can be asked about. */
interface Started {
  child: Child;
  /** The port of the test's own that stands in the place of the printed one. */
  port: number;
  /** The same for the path of a socket. */
  path: string;
}

type Drive = (started: Started) => Promise<void>;

/** Starts a program with the flags printed; only its port or path is the test's own, so that no two runs meet. */
async function startProgram(program: Program, way: typeof ways[number], namespace?: NamespacePair): Promise<Started> {
  const port = program.text.includes("listenDatagram") ? freeUdpPort() : freePort();
  const path = `${way.folder}/app.sock`;
  const own = (text: string) => text.replaceAll(/\b70\d\d\b/g, String(port)).replaceAll("/tmp/app.sock", path);
  await Deno.writeTextFile(`${way.folder}/${program.file}`, own(program.text));
  const [verb, ...flags] = program.command.map(own);
  const args = [verb!, "--no-prompt", ...way.flags, ...flags];
  const options = { cwd: way.folder, env: { DENO_DIR: `${folder}/cache` } };
  const child = namespace === undefined
    ? start(Deno.execPath(), args, options)
    : namespace.left.start(Deno.execPath(), args, options);
  return { child, port, path };
}

/** Runs what is printed before a program, then the program to its end, and compares its output with its comments. */
async function runToEnd(program: Program, way: typeof ways[number]): Promise<void> {
  for (const command of program.preparation) {
    const { success, report } = await run("sh", ["-c", command], { cwd: way.folder });
    assert(success, report);
  }
  const { child } = await startProgram(program, way);
  const { success, stdout, report } = await child.finished();
  assert(success, report);
  if (program.command[0] === "test") assertMatch(stdout, /^ok \| 1 passed \| 0 failed/m, report);
  else assertEquals(stdout.split("\n"), program.prints, report);
}

async function fetchText(
  options: { socketPath?: string; port?: number; path: string; body?: string },
): Promise<string> {
  const { body, ...rest } = options;
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const asked = request({ ...rest, method: body === undefined ? "GET" : "POST", agent: false }, (response) => {
    const pieces: string[] = [];
    response.on("data", (piece) => pieces.push(String(piece)));
    response.on("end", () => resolve(pieces.join("")));
  });
  asked.on("error", reject);
  asked.end(body);
  return await promise;
}

/** What is done with the programs that do not end by themselves. */
const DRIVES: Readonly<Record<string, Drive>> = {
  async "workers.ts"({ child, port }) {
    for (const name of ["one", "two"]) await child.stdout.untilText(`Worker ${name} receives on port ${port}`);
    const answers = new Set<string>();
    // The kernel chooses by the sender's port: 64 senders do not all reach the same Worker.
    for (let sender = 0; sender < 64 && answers.size < 2; sender++) {
      using socket = listenDatagram({ transport: "udp", hostname: LOOPBACK });
      await socket.send(new Uint8Array(1), { transport: "udp", hostname: LOOPBACK, port });
      answers.add(new TextDecoder().decode((await socket.receive())[0]));
    }
    assertEquals([...answers].sort(), ["one", "two"]);
  },
  async "lines.ts"({ child, port }) {
    using conn = await connectSoon(port);
    await conn.write(new TextEncoder().encode("hello\nyou"));
    await conn.write(new TextEncoder().encode(" there\n"));
    const buffer = new Uint8Array(64);
    let text = "";
    while (!text.endsWith("YOU THERE\n")) {
      text += new TextDecoder().decode(buffer.subarray(0, (await conn.read(buffer))!));
    }
    assertEquals(text, "HELLO\nYOU THERE\n");
    child.kill("SIGINT");
    await untilRefused(port);
    await conn.write(new TextEncoder().encode("last\n"));
    assertEquals(await conn.read(buffer), 5);
    await conn.closeWrite();
    const { code, report } = await child.finished();
    assertEquals(code, 0, report);
  },
  async "retry.ts"({ child, port }) {
    await child.waitForLine(/^connect 127\.0\.0\.1:\d+: connection refused \(ECONNREFUSED\); again in 100 ms$/);
    using _listener = listen({ hostname: LOOPBACK, port });
    await child.waitForLine(new RegExp(`^connected to port ${port}$`));
  },
  async "http.ts"({ child, path }) {
    await child.waitForLine(/^curl /);
    assertEquals((await Deno.stat(path)).mode! & 0o777, 0o660);
    assertEquals(await fetchText({ socketPath: path, path: "/x" }), "hello from /x\n");
    const { code, report } = await child.end("SIGINT");
    assertEquals(code, 0, report);
    await assertRejects(() => Deno.stat(path), Deno.errors.NotFound);
  },
  async "handler.ts"({ child, port }) {
    await child.waitForLine(/^listening$/);
    const url = `http://localhost:${port}/a?b`;
    assertEquals(JSON.parse(await fetchText({ port, path: "/a?b" })), { method: "GET", url, body: "" });
    assertEquals(JSON.parse(await fetchText({ port, path: "/a?b", body: "hi" })), { method: "POST", url, body: "hi" });
  },
};

/** Dials a server that is about to listen. */
async function connectSoon(port: number): Promise<TcpConn> {
  for (let attempt = 1;; attempt++) {
    try {
      return await connect({ hostname: LOOPBACK, port });
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused) || attempt === 1000) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

/** Dials until nothing listens any more. Connections that were waiting for accept at that time are reset. */
async function untilRefused(port: number): Promise<void> {
  for (let attempt = 0; attempt < 5000; attempt++) {
    try {
      (await connect({ hostname: LOOPBACK, port })).close();
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionRefused) return;
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
    }
  }
  throw new Error("The server goes on listening");
}

describe("The programs of the README", () => {
  it("have at most 20 lines each, and different names", () => {
    assert(programs.length >= 13);
    for (const { file, text } of programs) assertLessOrEqual(text.trimEnd().split("\n").length, LONGEST, file);
    assertEquals(new Set(programs.map(({ file }) => file)).size, programs.length);
  });

  it("type-check", async () => {
    const files = programs.map(({ file }) => file);
    const { success, report } = await run(Deno.execPath(), ["check", ...files], { cwd: ways[0]!.folder });
    assert(success, report);
  });

  for (const program of programs) {
    for (const index of [0, 1]) {
      const name = `run as printed, with the module from a ${index === 0 ? "path" : "URL"}: ${program.file}`;
      const drive = DRIVES[program.file];
      if (program.file === "mdns.ts") itUnless(noNamespaces, name, () => receiveMulticast(program, ways[index]!));
      else if (drive === undefined) {
        const reason = program.preparation.join().includes("openssl") ? noOpenssl : null;
        itUnless(reason, name, () => runToEnd(program, ways[index]!));
      } else {
        it(name, async () => {
          const started = await startProgram(program, ways[index]!);
          await using _child = started.child;
          await drive(started);
        });
      }
    }
  }

  it("need node:tls, since Deno.startTls() type-checks and throws", async () => {
    using listener = listen({ hostname: LOOPBACK, port: 0 });
    using conn = await connect({ port: listener.addr.port });
    await assertRejects(() => Deno.startTls(conn), TypeError);
  });
});

/** Two hosts of the test's own: one runs the program, the other sends to the group. */
async function receiveMulticast(program: Program, way: typeof ways[number]): Promise<void> {
  // A host of its own reaches no server of the test, so that the module has to be in Deno's cache before.
  await run(Deno.execPath(), ["cache", ...way.flags, program.file], {
    cwd: way.folder,
    env: { DENO_DIR: `${folder}/cache` },
  });
  await using pair = await NamespacePair.create();
  const { child } = await startProgram(program, way, pair);
  await using _child = child;
  await child.waitForLine(/^receiving on 224\.0\.0\.251:5353$/);
  const sender = `
    import { listenDatagram } from "${new URL("mod.ts", ROOT)}";
    using socket = listenDatagram({ transport: "udp", hostname: "${pair.right.ipv4}" });
    socket.setMulticastInterface("${pair.right.ipv4}");
    await socket.send(new Uint8Array(12), { transport: "udp", hostname: "224.0.0.251", port: 5353 });`;
  const { success, report } = await pair.right.run(Deno.execPath(), ["eval", sender]);
  assert(success, report);
  const [line] = await child.waitForLine(/^12 bytes from .*$/);
  assertStringIncludes(line, `from ${pair.right.ipv4} by interface `);
}
