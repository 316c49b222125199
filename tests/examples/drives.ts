/**
 * How each program of the examples is driven, whichever way it is started: what stands in the place of its ports and paths,
 * what is done with it, and what it then prints.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { listenDatagram } from "../../mod.ts";
import { bytes } from "../support/bytes.ts";
import { freePort, LOOPBACK } from "../support/loopback.ts";
import { ROOT } from "../support/repository.ts";
import { missingCommands } from "../support/skipping.ts";
import { exists } from "./unix_support.ts";
import type { Way, WayOptions } from "./ways.ts";

/** One program: started in one of the two ways, with a folder of its own for sockets. */
export interface Drive {
  /** Why it cannot be driven here, or null. */
  reason?: string | null;
  run(way: Way, folder: string): Promise<void>;
}

const README = await Deno.readFile(new URL("README.md", ROOT));

/** A program that ends by itself, or is stopped by Ctrl-C as soon as it has printed this. */
function prints(example: string, pattern: RegExp, options: WayOptions & { serves?: true } = {}): Drive {
  const { serves = false, ...rest } = options;
  return {
    async run(way) {
      await using child = await way.start(example, { stdin: serves, ...rest });
      if (serves) await child.waitForLine(pattern);
      const { success, stdout, report } = serves ? await child.end("SIGINT") : await child.finished();
      assert(success, report);
      assertMatch(stdout, pattern, report);
    },
  };
}

/** The same for one that has a Unix socket, at a path of its own, which is not there afterwards. */
function printsAt(example: string, pattern: RegExp, options: WayOptions & { serves?: true } = {}): Drive {
  return {
    async run(way, folder) {
      const path = `${folder}/socket`;
      const instead = { [`/tmp/berkeley-${SOCKETS[example]}.sock`]: path };
      const args = [...options.args ?? [], "--path", path];
      await prints(example, pattern, { ...options, args, instead }).run(way, folder);
      assert(!await exists(path));
    },
  };
}

/** The names of the sockets in the printed commands. */
const SOCKETS: Readonly<Record<string, string>> = {
  graceful_restart: "restart",
  pass_file: "file",
  pass_socket: "pass",
  unix_echo_server: "echo",
};

/** A server on a free port, and then a client of the test's own. */
function serves(
  example: string,
  listening: RegExp,
  options: WayOptions,
  meet: (port: number) => Promise<void>,
): Drive {
  return {
    async run(way) {
      await using server = await way.start(example, options);
      const [, port] = await server.waitForLine(listening);
      await meet(Number(port));
      const { success, report } = await server.end("SIGINT");
      assert(success, report);
    },
  };
}

/** The programs that need no other. */
const ALONE: Readonly<Record<string, Drive>> = {
  demo: prints("demo", /^All \d+ checks passed/m),
  dns_relay: prints("dns_relay", /^Listening on 0\.0\.0\.0 port \d+/, { args: ["--port", "0"], serves: true }),
  graceful_restart: printsAt("graceful_restart", /^Restarts: 1, failures: 0$/m, { args: ["--restarts", "1"] }),
  http_reuse_port: prints("http_reuse_port", /^worker 4/m, { args: ["--requests", "8"] }),
  interfaces: prints("interfaces", /^lo\t\d+\tup,loopback/m),
  mtu: prints("mtu", /^The MTU of the path to 127\.0\.0\.1 is 65535 bytes$/m),
  multicast_chat: prints("multicast_chat", /^\* you are drive on /, { args: ["--name", "drive"], serves: true }),
  pass_socket: printsAt("pass_socket", /^Request 3: served by process \d+$/m),
  ping: {
    // Otherwise it depends on the system's settings whether it may.
    reason: Deno.uid() === 0 ? null : "needs root",
    ...prints("ping", /^1 of 1 answered; /m, { args: ["--count", "1"] }),
  },
  reuse_port: prints("reuse_port", /received "test message" from 127\.0\.0\.1:12399$/m, { args: ["--port", "12399"] }),
  statsd_sink: prints("statsd_sink", /^Listening on 127\.0\.0\.1 port \d+/, { args: ["--port", "0"], serves: true }),
  tcp_echo_server: prints("tcp_echo_server", /^Listening on 127\.0\.0\.1:\d+/, { args: ["--port", "0"], serves: true }),
  tcp_fan_out: prints("tcp_fan_out", /^10 dials at once/),
  traceroute: prints("traceroute", /^ 1 {2}127\.0\.0\.1 {2}/m),
  udp_flood: prints("udp_flood", /^Received \d+ datagrams/m, { args: ["--seconds", "0.3", "--rate", "1000"] }),
  unix_echo_server: printsAt("unix_echo_server", /^Listening on .*\/socket/, { serves: true }),
  ws_discovery: prints("ws_discovery", /^Asked 239\.255\.255\.250:3799 for wsdp:Device/, {
    args: ["--timeout", "0.1", "--port", "3799"],
  }),
};

/** Those that meet another program, of the examples or of the test. */
const WITH_OTHERS: Readonly<Record<string, Drive>> = {
  activated_server: {
    reason: await missingCommands("systemd-socket-activate"),
    async run(way, folder) {
      const [path, port] = [`${folder}/local`, freePort()];
      const instead = { "/tmp/berkeley-activated.sock": path, ":7010": `:${port}` };
      await using server = await way.start("activated_server", { instead });
      await server.waitForLine(/^Listening on .*\/local as 4\.$/, "stderr");
      assertEquals(await echo(await Deno.connect({ hostname: LOOPBACK, port }), "over TCP"), "over TCP");
      await server.waitForLine(new RegExp(`^web: listening on 127\\.0\\.0\\.1:${port}$`));
      await server.waitForLine(new RegExp(`^local: listening on ${path}$`));
      await server.waitForLine(/^web: client ended$/);
      assertEquals(await echo(await Deno.connect({ transport: "unix", path }), "over a path"), "over a path");
      await server.waitForLine(/^local: client ended$/);
    },
  },

  dashboard: {
    async run(way) {
      await using dashboard = await way.start("dashboard", { args: ["--port", "0"] });
      const [, url] = await dashboard.waitForLine(/^Open (http:.*); Ctrl-C stops$/);
      assertMatch(await (await fetch(url!)).text(), /<title>/);
      const { success, stdout, report } = await dashboard.end("SIGINT");
      assert(success, report);
      assertMatch(stdout, /(\nworker \d: \d+ datagrams, .*){4}$/);
    },
  },

  mdns: {
    async run(way) {
      const host = `drive-${Deno.pid}`;
      await using announcing = await way.start("mdns", { command: 1, args: ["--host", host] });
      const [, name] = await announcing.waitForLine(/^announced (.*)\._http\._tcp\.local at /);
      await using finding = await way.start("mdns", { args: ["--timeout", "50"] });
      await finding.waitForLine(new RegExp(`^found\t${RegExp.escape(name!)}\t${host}.*:8080\t.*127\\.0\\.0\\.1`));
      for (const child of [finding, announcing]) {
        const { success, report } = await child.end("SIGINT");
        assert(success, report);
      }
    },
  },

  nc: {
    async run(way) {
      const instead = { 8080: String(freePort()) };
      await using server = await way.start("nc", { args: ["-v"], instead, stdin: true });
      await server.waitForLine(/^listening on /, "stderr");
      await using client = await way.start("nc", { command: 1, instead, stdin: true });
      await client.write("from the client\n");
      await server.waitForLine(/^from the client$/);
      await server.write("from the server\n");
      await client.waitForLine(/^from the server$/);
      await client.closeInput();
      for (const child of [server, client]) {
        const { success, report } = await child.finished();
        assert(success, report);
      }
    },
  },

  notify: {
    async run(way, folder) {
      const path = `${folder}/notify`;
      using supervisor = listenDatagram({ transport: "unixgram", path });
      const options = { instead: { "/run/systemd/notify": path }, env: { NOTIFY_SOCKET: path } };
      const { success, stdout, report } = await (await way.start("notify", options)).finished();
      assert(success, report);
      assertEquals(stdout, `Sent to ${path}: READY=1`);
      assertEquals(new TextDecoder().decode((await supervisor.receive())[0]), "READY=1");
    },
  },

  pass_file: {
    async run(way, folder) {
      await way.bring("README.md");
      const path = `${folder}/door`;
      const instead = { "/tmp/berkeley-file.sock": path };
      const child = await way.start("pass_file", { args: ["--path", path], instead });
      const { success, stdout, report } = await child.finished();
      assert(success, report);
      const [passed, read] = stdout.split("\n");
      const [, giver, taker] = passed!.match(
        /^Process (\d+) opened README\.md, passed it to process (\d+) and closed its own descriptor$/,
      ) ?? [];
      assert(giver !== undefined && giver !== taker, report);
      const lines = README.filter((byte) => byte === 10).length;
      const what = `read the file README.md: ${lines} lines, ${README.length} bytes`;
      assertEquals(read, `Process ${taker}, with read permission "prompt", ${what}`);
      assert(!await exists(path));
    },
  },

  proxy_protocol: serves(
    "proxy_protocol",
    /^Listening on \S+ port (\d+); Ctrl-C stops$/,
    { args: ["--port", "0"] },
    async (port) => {
      using conn = await Deno.connect({ hostname: LOOPBACK, port });
      await conn.write(bytes("PROXY TCP4 192.0.2.7 192.0.2.1 5555 80\r\nGET /page HTTP/1.0\r\n\r\n"));
      const answer = await new Response(conn.readable).text();
      assertMatch(answer, /"client":"192\.0\.2\.7:5555","server":"192\.0\.2\.1:80"/);
    },
  ),

  serve_file: {
    async run(way, folder) {
      await way.bring("README.md");
      const listening = /^Serving README\.md at http:\/\/127\.0\.0\.1:(\d+)\/; Ctrl-C stops$/;
      await serves("serve_file", listening, { args: ["--port", "0"] }, async (port) => {
        assertEquals(await (await fetch(`http://127.0.0.1:${port}/README.md`)).bytes(), README);
      }).run(way, folder);
    },
  },

  ssdp: {
    async run(way) {
      const uuid = crypto.randomUUID();
      await using device = await way.start("ssdp", { command: 1, args: ["--uuid", uuid] });
      await device.waitForLine(/^announced/);
      await using searching = await way.start("ssdp", { args: ["--mx", "1"] });
      await searching.waitForLine(new RegExp(`^found\tuuid:${uuid}\tuuid:${uuid}\thttp://127\\.0\\.0\\.1/d\\.xml\t`));
      for (const child of [searching, device]) {
        const { success, report } = await child.end("SIGINT");
        assert(success, report);
      }
    },
  },

  syslog: {
    async run(way, folder) {
      const path = `${folder}/log`;
      using daemon = listenDatagram({ transport: "unixgram", path });
      const child = await way.start("syslog", { command: 1, instead: { "/tmp/berkeley-log.sock": path } });
      const { success, report } = await child.finished();
      assert(success, report);
      // user (1) times 8 and notice (5).
      const message = new TextDecoder().decode((await daemon.receive())[0]);
      assertMatch(message, /^<13>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d berkeley\[\d+\]: hello$/);
    },
  },

  tcp_echo_client: {
    async run(way) {
      await using server = await way.start("tcp_echo_server", { args: ["--port", "0"] });
      const [, port] = await server.waitForLine(/^Listening on 127\.0\.0\.1:(\d+); Ctrl-C stops$/);
      const child = await way.start("tcp_echo_client", { args: ["--port", port!, "--text", "grüß dich"] });
      const { success, stdout, report } = await child.finished();
      assert(success, report);
      const [connected, ...lines] = stdout.split("\n");
      assertMatch(connected!, new RegExp(`^Connected 127\\.0\\.0\\.1:\\d+ to 127\\.0\\.0\\.1:${port}$`));
      assertEquals(lines, [
        'Echo: "grüß dich"',
        "Deadline: TimedOut: recvmsg: deadline exceeded (code ETIMEDOUT, timeout true)",
        "Abort: Error: the user pressed Cancel",
        'Echo: "still connected"',
        "End: the server closed the connection",
      ]);
      await server.waitForLine(/^127\.0\.0\.1:\d+ ended after 26 bytes$/);
    },
  },

  unix_echo_client: {
    async run(way, folder) {
      const path = `${folder}/echo`;
      const instead = { "/tmp/berkeley-echo.sock": path };
      await using server = await way.start("unix_echo_server", { args: ["--path", path], instead });
      await server.waitForLine(/^Listening on /);
      const args = ["--path", path, "--text", "grüß dich"];
      const { success, stdout, report } = await (await way.start("unix_echo_client", { args, instead })).finished();
      assert(success, report);
      assertEquals(stdout.split("\n"), [
        `Connected to ${path}: process ${server.pid} of user ${Deno.uid()}`,
        'Echo: "grüß dich"',
        "End: the server closed the connection",
      ]);
      await server.waitForLine(new RegExp(`^process \\d+ of user ${Deno.uid()} ended after 11 bytes$`));
    },
  },
};

/** Every program by its name. */
export const DRIVES: Readonly<Record<string, Drive>> = { ...ALONE, ...WITH_OTHERS };

/** Sends text, ends, and resolves to all that comes back. */
async function echo(conn: Deno.Conn, text: string): Promise<string> {
  await conn.write(bytes(text));
  await conn.closeWrite();
  return await new Response(conn.readable).text();
}
