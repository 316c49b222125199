import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { connect, listenDatagram, type UnixConn } from "../../mod.ts";
import { bytes, text } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { run, start } from "../support/process.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { Directory } from "../unix/support.ts";

noDescriptorLeaks();

const NO_RSYSLOG = await missingCommands("rsyslogd");
const NO_LOGGER = await missingCommands("logger");
const NO_REDIS = await missingCommands("redis-server");
const NO_SOCAT = await missingCommands("socat");

/** Configures rsyslog to receive at one path and to forward to another. */
function rsyslogConfiguration(input: string, output: string): string {
  return `
module(load="imuxsock" SysSock.Use="off")
module(load="omuxsock")
input(type="imuxsock" Socket="${input}" CreatePath="off" UseSysTimeStamp="off")
template(name="plain" type="string" string="%syslogfacility-text% %syslogseverity-text% %programname% %msg%\\n")
$OMUxSockSocket ${output}
*.* :omuxsock:;plain
`;
}

describe("syslog", TIMEOUT, () => {
  itUnless(
    NO_RSYSLOG,
    "receives messages at rsyslog's socket, and rsyslog forwards them to a socket here",
    async () => {
      using directory = new Directory();
      const [input, output, file] = [directory.file("log"), directory.file("onward"), directory.file("rsyslog.conf")];
      using sink = listenDatagram({ transport: "unixgram", path: output });
      Deno.writeTextFileSync(file, rsyslogConfiguration(input, output));
      await using daemon = start("rsyslogd", ["-n", "-f", file, "-i", directory.file("pid")]);
      using source = listenDatagram({ transport: "unixgram" });
      await untilThere(source, input);
      for (const word of ["first", "second"]) {
        await source.send(bytes(`<165>Oct 11 22:14:15 berkeley: ${word}`), { transport: "unixpacket", path: input });
      }
      // rsyslog logs messages of its own too.
      const received: string[] = [];
      while (received.length < 2) {
        const line = text((await sink.receive())[0]).trim();
        if (line.includes("berkeley")) received.push(line);
      }
      assertEquals(received.map((line) => line.replaceAll(/\s+/g, " ")), [
        "local4 notice berkeley first",
        "local4 notice berkeley second",
      ], daemon.report());
    },
  );

  itUnless(NO_SOCAT, "receives messages at a socket of socat", async () => {
    using directory = new Directory();
    await using daemon = start("socat", ["-d", "-d", "-u", `UNIX-RECV:${directory.file("log")}`, "-"]);
    await daemon.waitForLine(/starting data transfer loop/, "stderr");
    using source = listenDatagram({ transport: "unixgram" });
    const to = { transport: "unixpacket", path: directory.file("log") } as const;
    await source.send(bytes("<14>Oct 11 22:14:15 berkeley: hello\n"), to);
    await daemon.waitForLine(/^<14>Oct 11 22:14:15 berkeley: hello$/);
  });

  itUnless(NO_LOGGER, "receives messages of logger(1) here", async () => {
    using directory = new Directory();
    using sink = listenDatagram({ transport: "unixgram", path: directory.file("log") });
    const args = ["--socket", directory.file("log"), "--priority", "user.info", "--tag", "berkeley", "hello"];
    const { success, report } = await run("logger", args);
    assert(success, report);
    assertMatch(text((await sink.receive())[0]), /^<14>.* berkeley: hello$/);
  });
});

/** Waits until a daemon has opened its socket, by trying to send to it. */
async function untilThere(source: ReturnType<typeof listenDatagram>, path: string): Promise<void> {
  for (;;) {
    try {
      await source.send(new Uint8Array(0), { transport: "unixpacket", path });
      return;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.ConnectionRefused)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

/** A command as Redis takes it: an array of strings. */
function command(...words: string[]): string {
  return [`*${words.length}`, ...words.flatMap((word) => [`$${bytes(word).length}`, word]), ""].join("\r\n");
}

/** Sends commands at once, and reads until all of this was answered. */
async function exchange(conn: UnixConn, commands: string[], expected: string): Promise<void> {
  await conn.write(bytes(commands.join("")));
  const p = new Uint8Array(65_536);
  let answer = "";
  while (answer.length < expected.length) {
    const count = await conn.read(p);
    assert(count !== null, `the end came after ${JSON.stringify(answer)}`);
    answer += text(p.subarray(0, count));
  }
  assertEquals(answer, expected);
}

describe("Redis", TIMEOUT, () => {
  itUnless(NO_REDIS, "answers over its Unix socket, one by one and pipelined", async () => {
    using directory = new Directory();
    const path = directory.file();
    const settings = { port: "0", unixsocket: path, dir: directory.path, save: "", appendonly: "no", daemonize: "no" };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
    await using server = start("redis-server", args);
    await server.waitForLine(/The server is now ready to accept connections at .*socket/);

    using conn = await connect({ transport: "unix", path });
    await exchange(conn, [command("PING")], "+PONG\r\n");
    await exchange(conn, [command("SET", "berkeley", "sockets")], "+OK\r\n");
    await exchange(conn, [command("GET", "berkeley")], "$7\r\nsockets\r\n");
    const pipeline = Array.from({ length: 1000 }, () => command("INCR", "count"));
    await exchange(conn, pipeline, pipeline.map((_, index) => `:${index + 1}\r\n`).join(""));
    const large = "x".repeat(1 << 20);
    await exchange(conn, [command("ECHO", large)], `$${large.length}\r\n${large}\r\n`);
    assertEquals(conn.peerCredentials().pid, server.pid);
    await exchange(conn, [command("QUIT")], "+OK\r\n");
    assertEquals(await conn.read(new Uint8Array(8)), null);
  });
});
