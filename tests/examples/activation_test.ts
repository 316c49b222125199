import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { listenDatagram } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { freePort, freeUdpPort, LOOPBACK } from "../support/loopback.ts";
import { type Child, type Finished, run, start } from "../support/process.ts";
import { ROOT } from "../support/repository.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import { printedCommands } from "./support.ts";
import { exists, startAt, temporaryFolder } from "./unix_support.ts";
import { Way } from "./ways.ts";

noDescriptorLeaks();

const noSystemd = await missingCommands("systemd-socket-activate");
const noSocat = await missingCommands("socat");

/** Starts the server by a command of its header, on a port and a path of its own. It runs from the first that comes on. */
async function activate(command: number, port: number, path: string): Promise<Child> {
  const instead = { "/tmp/berkeley-activated.sock": path, ":7010": `:${port}` };
  const server = await Way.byPath().start("activated_server", { command, instead });
  await server.waitForLine(/^Listening on .* as 3\.$/, "stderr");
  return server;
}

/** Sends text, ends, and gives all that comes back. */
async function echo(conn: Deno.Conn, text: string): Promise<string> {
  await conn.write(new TextEncoder().encode(text));
  await conn.closeWrite();
  return await new Response(conn.readable).text();
}

describe("examples/activated_server.ts", () => {
  itUnless(noSystemd, "is started by the first client and answers its request", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/local`;
    await using server = await activate(0, freePort(), path);
    assertEquals(server.stdout.text, "");
    assertEquals(await echo(await Deno.connect({ transport: "unix", path }), "first"), "first");
  });

  itUnless(noSystemd, "answers datagrams, also the one that started it", async () => {
    const port = freeUdpPort();
    await using server = await activate(1, port, "");
    using client = listenDatagram({ transport: "udp", hostname: LOOPBACK });
    for (const text of ["one", "two"]) {
      await client.send(new TextEncoder().encode(text), { transport: "udp", hostname: LOOPBACK, port });
      client.setReadDeadline(new Date(Date.now() + 60_000));
      const [answer, from] = await client.receive();
      assertEquals([new TextDecoder().decode(answer), from.port], [text, port]);
    }
    await server.waitForLine(/^datagrams: receiving on /);
    await server.waitForLine(new RegExp(`^datagrams: 3 bytes from 127\\.0\\.0\\.1:${client.addr.port}$`));
  });

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    itUnless(noSystemd, `stops on ${signal}, waits for open connections, and leaves the path`, async () => {
      await using folder = await temporaryFolder();
      const path = `${folder.path}/local`;
      await using server = await activate(0, freePort(), path);
      const client = await Deno.connect({ transport: "unix", path });
      await client.write(new TextEncoder().encode("be"));
      assertEquals(await client.read(new Uint8Array(8)), 2);
      server.kill(signal);
      assertEquals(await echo(client, "after"), "after");
      const { code, report } = await server.finished();
      assertEquals(code, 0, report);
      assert(await exists(path));
    });
  }

  it("prints one line if no socket was passed, or for an argument", async () => {
    const cases = [[[], "No socket was passed; see --help for how to start this program"], [
      ["--bogus"],
      "unknown option --bogus; see --help",
    ]] as const;
    for (const [args, words] of cases) {
      const { code, stderr, report } = await runServer(...args);
      assertEquals(code, 1, report);
      assertEquals(stderr, `activated_server: ${words}`);
    }
    const { success, stdout, report } = await runServer("--help");
    assert(success, report);
    assertStringIncludes(stdout, "systemd-socket-activate");
  });

  it("needs no --allow-net without datagrams", async () => {
    const [streams, datagrams] = await printedCommands("activated_server");
    const grants = (command: string[]) => command.filter((arg) => arg.startsWith("--allow-"));
    const env = "--allow-env=LISTEN_FDS,LISTEN_PID,LISTEN_FDNAMES";
    assertEquals(grants(streams!), ["--allow-ffi", env]);
    assertEquals(grants(datagrams!), ["--allow-ffi", env, "--allow-net=127.0.0.1"]);
  });
});

/** Starts the server as a person might who has not read its header, with what stands there after "deno". */
async function runServer(...args: string[]): Promise<Finished> {
  const [command] = await printedCommands("activated_server");
  return await run(Deno.execPath(), [...command!, ...args], { cwd: ROOT });
}

describe("examples/notify.ts", () => {
  /** Which of the printed commands is for a path, and which for an abstract name. */
  const commands = { path: 0, abstract: 1 };

  async function notify(command: number, path: string, name: string, ...args: string[]): Promise<Finished> {
    const child = await startAt(path, "notify", { command, args, env: { NOTIFY_SOCKET: name } });
    return await child.finished();
  }

  async function startSupervisor(address: string): Promise<Child> {
    const supervisor = start("socat", ["-d", "-d", "-u", address, "-"]);
    await supervisor.waitForLine(/starting data transfer loop/, "stderr");
    return supervisor;
  }

  itUnless(noSocat, "sends its arguments to a path, one on each line", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/notify`;
    await using supervisor = await startSupervisor(`UNIX-RECV:${path}`);
    const told = ["STATUS=warming up", "READY=1", "STATUS="];
    const { code, stdout, report } = await notify(commands.path, path, path, ...told);
    assertEquals(code, 0, report);
    assertEquals(stdout, `Sent to ${path}: ${told.join(" ")}`);
    for (const line of told.slice(0, 2)) assertEquals((await supervisor.waitForLine(/^.*$/))[0], line);
  });

  const noAbstract = Deno.build.os === "linux" ? noSocat : `no abstract names on ${Deno.build.os}`;
  itUnless(noAbstract, "sends READY=1 to an abstract name", async () => {
    const name = `berkeley-notify-${Deno.pid}`;
    await using supervisor = await startSupervisor(`ABSTRACT-RECV:${name}`);
    const { code, stdout, report } = await notify(commands.abstract, "", `@${name}`);
    assertEquals(code, 0, report);
    assertEquals(stdout, `Sent to @${name}: READY=1`);
    using socket = listenDatagram({ transport: "unixgram" }); // The message has no line end of its own.
    await socket.send(new TextEncoder().encode("\n"), { transport: "unixpacket", path: `\0${name}` });
    await supervisor.waitForLine(/^READY=1$/);
  });

  const mistakes: [what: string, name: string, args: string[], words: RegExp][] = [
    ["NOTIFY_SOCKET is not set", "", [], /^NOTIFY_SOCKET is not set; systemd sets it for services of Type=notify$/],
    ["NOTIFY_SOCKET is of another kind", "vsock:2:1", [], /^NOTIFY_SOCKET vsock:2:1: expected a path or .*$/],
    ["the path does not exist", "/tmp/unused", [], /^sendmsg \/tmp\/unused: no such file or directory \(ENOENT\)$/],
    ["the path is not allowed", "/tmp/other", [], /^Requires write access to "\/tmp\/other", .*$/],
    ["an abstract name is not allowed", "@other", [], /^Requires net access to "unix:@other", .*$/],
    ["an argument is not an assignment", "", ["ready"], /^ready: expected NAME=value on one line$/],
    ["an option is unknown", "", ["--bogus"], /^unknown option --bogus; see --help$/],
  ];
  for (const [what, name, args, words] of mistakes) {
    it(`prints one line if ${what}`, async () => {
      const { code, stdout, stderr, report } = await notify(commands.path, "/tmp/unused", name, ...args);
      assertEquals(code, 1, report);
      assertEquals(stdout, "");
      assertMatch(stderr, /^notify: .*$/);
      assertMatch(stderr.replace("notify: ", ""), words);
    });
  }

  it("needs permission for the supervisor's socket only, or for all for an abstract name", async () => {
    const path = "/run/systemd/notify";
    const grants = [`--allow-net=unix:${path}`, `--allow-read=${path}`, `--allow-write=${path}`];
    const start = ["run", "--allow-ffi", "--allow-env=NOTIFY_SOCKET"];
    assertEquals(await printedCommands("notify"), [
      [...start, ...grants, "examples/notify.ts"],
      [...start, "--allow-net", "examples/notify.ts"],
    ]);
  });
});
