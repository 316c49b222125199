import { assert, assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";
import {
  connect,
  listen,
  listenDatagram,
  type SeqpacketListener,
  type UnixConn,
  type UnixListener,
} from "../../mod.ts";
import { readToEnd } from "../conformance/stream/pair.ts";
import { bytes, text } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { type Child, run, start } from "../support/process.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { abstractName, Directory } from "../unix/support.ts";

noDescriptorLeaks();

/** More than the buffers of a connection hold at first. */
const TEXT = Array.from({ length: 20_000 }, (_, index) => `line ${index} of many`).join("\n");

const NO_NCAT = await missingCommands("ncat");
const NO_SOCAT = await missingCommands("socat");

/** Echoes to the first connection, and closes it. */
async function echoOnce(listener: UnixListener): Promise<void> {
  using conn = await listener.accept();
  const p = new Uint8Array(10_000);
  for (let count = await conn.read(p); count !== null; count = await conn.read(p)) {
    await conn.write(p.subarray(0, count));
  }
}

/** Checks that a program that connects to a path is echoed. */
async function assertTheyDial(path: string, command: string, ...args: string[]): Promise<void> {
  using listener = listen({ transport: "unix", path });
  const [{ success, stdout, report }] = await Promise.all([run(command, args, { input: TEXT }), echoOnce(listener)]);
  assert(success, report);
  assert(stdout === TEXT, `received ${stdout.length} of ${TEXT.length} characters`);
}

async function say(conn: UnixConn): Promise<void> {
  await conn.write(bytes(TEXT));
  await conn.closeWrite();
}

/** A program that listens at a path, and echoes, gives us back what we said. */
async function assertWeDial(path: string, child: Child): Promise<void> {
  using conn = await connect({ transport: "unix", path });
  const [received] = await Promise.all([new Response(conn.readable).text(), say(conn)]);
  assert(received === TEXT, `received ${received.length} of ${TEXT.length} characters`);
  const { success, report } = await child.finished();
  assert(success, report);
}

/** Receives one message of the first connection and answers it in capitals. */
async function answerOnce(listener: SeqpacketListener): Promise<string> {
  using conn = await listener.accept();
  const question = text((await conn.receive())!);
  await conn.send(bytes(question.toUpperCase()));
  assertEquals(await conn.receive(), null);
  return question;
}

describe("ncat", TIMEOUT, () => {
  itUnless(NO_NCAT, "connects to a listener here", async () => {
    using directory = new Directory();
    await assertTheyDial(directory.file(), "ncat", "-U", directory.file());
  });

  itUnless(NO_NCAT, "accepts a connection from here, with data in both directions at once", async () => {
    using directory = new Directory();
    const path = directory.file();
    await using server = start("ncat", ["-v", "-l", "-U", path], { stdin: true });
    await server.waitForLine(/Listening on/, "stderr");
    using conn = await connect({ transport: "unix", path });
    const [received] = await Promise.all([
      readToEnd(conn),
      conn.write(bytes(TEXT)),
      server.write(TEXT).then(() => server.closeInput()),
    ]);
    // Not before: it stops sending when it reads the end.
    conn.close();
    const { success, stdout, report } = await server.finished();
    assert(success, report);
    assert(text(received) === TEXT, `we received ${received.length} of ${TEXT.length} characters`);
    assert(stdout === TEXT, `ncat received ${stdout.length} of ${TEXT.length} characters`);
  });

  itUnless(NO_NCAT, "exchanges datagrams with a socket here", async () => {
    using directory = new Directory();
    const [ours, theirs] = [directory.file("ours"), directory.file("theirs")];
    using socket = listenDatagram({ transport: "unixgram", path: ours });
    const { success, report } = await run("ncat", ["-u", "-U", "--send-only", "-s", theirs, ours], {
      input: "question",
    });
    assert(success, report);
    const [data, from] = await socket.receive();
    assertEquals([text(data), from.path], ["question", theirs]);

    await using server = start("ncat", ["-v", "-u", "-l", "-U", directory.file("server")]);
    await server.waitForLine(/Listening on/, "stderr");
    await socket.send(bytes("answer\n"), { transport: "unixpacket", path: directory.file("server") });
    await server.waitForLine(/^answer$/);
  });
});

describe("socat", TIMEOUT, () => {
  itUnless(NO_SOCAT, "connects to a listener here, at a path and at an abstract name", async () => {
    using directory = new Directory();
    const name = abstractName();
    await assertTheyDial(directory.file(), "socat", "-t60", "-", `UNIX-CONNECT:${directory.file()}`);
    await assertTheyDial(name, "socat", "-t60", "-", `ABSTRACT-CONNECT:${name.slice(1)}`);
  });

  itUnless(NO_SOCAT, "accepts a connection from here, at a path and at an abstract name", async () => {
    using directory = new Directory();
    const name = abstractName();
    for (
      const [path, address] of [
        [directory.file(), `UNIX-LISTEN:${directory.file()}`],
        [name, `ABSTRACT-LISTEN:${name.slice(1)}`],
      ] as const
    ) {
      await using server = start("socat", ["-d", "-d", "-t60", address, "EXEC:cat"]);
      await server.waitForLine(/listening on/, "stderr");
      await assertWeDial(path, server);
    }
  });

  itUnless(NO_SOCAT, "sends datagrams here, and receives the answer at its own path", async () => {
    using directory = new Directory();
    const [ours, theirs] = [directory.file("ours"), directory.file("theirs")];
    using socket = listenDatagram({ transport: "unixgram", path: ours });
    await using client = start("socat", ["-", `UNIX-SENDTO:${ours},bind=${theirs}`], { stdin: true });
    await client.write("question");
    const [data, from] = await socket.receive();
    assertEquals([text(data), from], ["question", { transport: "unixpacket", path: theirs }]);
    await socket.send(bytes("answer\n"), from);
    await client.waitForLine(/^answer$/);
  });

  itUnless(NO_SOCAT, "receives datagrams from here", async () => {
    using directory = new Directory();
    await using server = start("socat", ["-d", "-d", "-u", `UNIX-RECV:${directory.file()}`, "-"]);
    await server.waitForLine(/starting data transfer loop/, "stderr");
    using socket = listenDatagram({ transport: "unixgram" });
    for (const word of ["one", "two", "three"]) {
      await socket.send(bytes(`${word}\n`), { transport: "unixpacket", path: directory.file() });
      await server.waitForLine(new RegExp(`^${word}$`));
    }
  });

  itUnless(NO_SOCAT, "keeps message boundaries with a seqpacket listener here", async () => {
    using directory = new Directory();
    const path = directory.file();
    using listener = listen({ transport: "seqpacket", path });
    const [question, { success, stdout, report }] = await Promise.all([
      answerOnce(listener),
      run("socat", ["-t60", "-", `UNIX-CONNECT:${path},type=5`], { input: "one message" }),
    ]);
    assert(success, report);
    assertEquals([question, stdout], ["one message", "ONE MESSAGE"]);
  });

  itUnless(NO_SOCAT, "keeps message boundaries with a seqpacket connection from here", async () => {
    using directory = new Directory();
    const path = directory.file();
    await using server = start("socat", ["-d", "-d", `UNIX-LISTEN:${path},type=5`, "PIPE"]);
    await server.waitForLine(/listening on/, "stderr");
    using conn = await connect({ transport: "seqpacket", path });
    for (const message of ["one", "another", "x".repeat(5000)]) {
      await conn.send(bytes(message));
      assertEquals(text((await conn.receive())!), message);
    }
  });
});
