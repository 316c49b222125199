import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { activatedSockets, connect, listenDatagram } from "../../mod.ts";
import { bytes, text } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { freePort } from "../support/loopback.ts";
import { type Child, run, start } from "../support/process.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { Directory, noSeqpacket, readText } from "./support.ts";

noDescriptorLeaks();

const PROGRAM = new URL("./programs/activated.ts", import.meta.url).pathname;
const DENO = [Deno.execPath(), "run", "-A", "--no-prompt", PROGRAM];

/** Opens what the first argument lists at descriptors 3 and up, sets the variables of the second, and becomes the rest: the process id stays. */
const WRAPPER = `
import fcntl, json, os, socket, sys
kinds, variables, command = json.loads(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3:]
def opened(kind):
    name, _, path = kind.partition(":")
    if name == "pipe":
        return os.pipe()[0]
    if name == "netlink":
        return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).detach()
    family = socket.AF_UNIX if path else socket.AF_INET
    type = {"stream": socket.SOCK_STREAM, "dgram": socket.SOCK_DGRAM, "seqpacket": socket.SOCK_SEQPACKET}[name]
    s = socket.socket(family, type)
    s.bind(path or ("127.0.0.1", 0))
    if name != "dgram":
        s.listen()
    return s.detach()
high = [fcntl.fcntl(opened(kind), fcntl.F_DUPFD, 100) for kind in kinds]
for index, fd in enumerate(high):
    os.dup2(fd, 3 + index)
    os.close(fd)
for name, value in variables.items():
    os.environ[name] = str(os.getpid()) if value == "own" else value
os.execvp(command[0], command)
`;

interface Report {
  sockets?: [name: string, kind: string, fd: number][];
  again?: number;
  error?: string;
  environment: string[];
  closeOnExec: number[];
}

const noPython = await missingCommands("python3");
const noSystemd = await missingCommands("systemd-socket-activate");

/** Starts the program with these sockets and variables; "own" is its process id. */
async function activate(kinds: string[], variables: Record<string, string>): Promise<Report> {
  const args = ["-c", WRAPPER, JSON.stringify(kinds), JSON.stringify(variables), ...DENO];
  const { success, stdout, report } = await run("python3", args);
  assert(success, report);
  const told = JSON.parse(stdout) as Report;
  // Beyond what it was given, the numbers are Deno's own.
  return { ...told, closeOnExec: told.closeOnExec.filter((fd) => fd < 3 + kinds.length) };
}

describe("activatedSockets()", TIMEOUT, () => {
  it("is empty in a process started without sockets", () => {
    assertEquals(activatedSockets(), []);
  });

  itUnless(noPython, "takes over LISTEN_FDS sockets as their classes, with the names of LISTEN_FDNAMES", async () => {
    using directory = new Directory();
    const kinds = ["stream", `stream:${directory.file("a")}`, "dgram", `dgram:${directory.file("b")}`];
    const LISTEN_FDNAMES = "web:local:metrics:log";
    const { sockets, again, environment, closeOnExec } = await activate(kinds, {
      LISTEN_PID: "own",
      LISTEN_FDS: "4",
      LISTEN_FDNAMES,
    });
    assertEquals(sockets, [
      ["web", "TcpListener", 3],
      ["local", "UnixListener", 4],
      ["metrics", "UdpSocket", 5],
      ["log", "UnixDatagram", 6],
    ]);
    assertEquals([again, environment, closeOnExec], [0, [], [3, 4, 5, 6]]);
    assertEquals(directory.names, ["a", "b"]);
  });

  itUnless(noPython, 'calls them "unknown" without LISTEN_FDNAMES', async () => {
    using directory = new Directory();
    const { sockets } = await activate([`seqpacket:${directory.file()}`, "stream"], {
      LISTEN_PID: "own",
      LISTEN_FDS: "2",
    });
    assertEquals(sockets, [["unknown", "SeqpacketListener", 3], ["unknown", "TcpListener", 4]]);
  });

  itUnless(noPython, "accepts duplicate names", async () => {
    const { sockets } = await activate(["stream", "stream"], {
      LISTEN_PID: "own",
      LISTEN_FDS: "2",
      LISTEN_FDNAMES: "web:web",
    });
    assertEquals(sockets, [["web", "TcpListener", 3], ["web", "TcpListener", 4]]);
  });

  itUnless(noPython, "leaves out descriptors that are not sockets, which keep their index and stay open", async () => {
    const { sockets, closeOnExec } = await activate(["stream", "pipe", "dgram"], {
      LISTEN_PID: "own",
      LISTEN_FDS: "3",
      LISTEN_FDNAMES: "a:b:c",
    });
    assertEquals(sockets, [["a", "TcpListener", 3], ["c", "UdpSocket", 5]]);
    assertEquals(closeOnExec, [3, 4, 5]);
  });

  itUnless(noPython, "takes over nothing that is meant for another process, or without LISTEN_PID", async () => {
    const elsewhere: Record<string, string>[] = [
      { LISTEN_PID: "1", LISTEN_FDS: "1" },
      { LISTEN_PID: "1", LISTEN_FDS: "nonsense" },
      { LISTEN_FDS: "1" },
      { LISTEN_PID: "own" },
      { LISTEN_PID: "own", LISTEN_FDS: "" },
      { LISTEN_PID: "own", LISTEN_FDS: "0" },
      { LISTEN_FDNAMES: "a" },
    ];
    for (const variables of elsewhere) {
      const { sockets, closeOnExec } = await activate(["stream"], variables);
      assertEquals([sockets, closeOnExec], [[], []], JSON.stringify(variables));
    }
  });

  itUnless(noPython, "refuses invalid variables, quotes them, and takes over nothing", async () => {
    const own = { LISTEN_PID: "own", LISTEN_FDS: "1" };
    const wrong: [variables: Record<string, string>, error: string][] = [
      [{ ...own, LISTEN_FDS: "one" }, 'TypeError: Invalid LISTEN_FDS: "one", expected a whole number'],
      [{ ...own, LISTEN_FDS: "-1" }, 'TypeError: Invalid LISTEN_FDS: "-1"'],
      [{ ...own, LISTEN_FDS: "1.5" }, 'TypeError: Invalid LISTEN_FDS: "1.5"'],
      [{ ...own, LISTEN_PID: "me" }, 'TypeError: Invalid LISTEN_PID: "me", expected a whole number'],
      [{ ...own, LISTEN_FDNAMES: "a:b" }, 'TypeError: LISTEN_FDNAMES "a:b" has 2 names for 1 descriptors'],
      [{ ...own, LISTEN_FDS: "99" }, "BadResource: getsockopt descriptor"],
    ];
    for (const [variables, error] of wrong) {
      const report = await activate(["stream"], variables);
      assertStringIncludes(report.error!, error);
      assertEquals(report.environment, Object.keys(variables).toSorted(byOrder));
    }
  });

  itUnless(noPython, "takes over nothing if one is a socket without a class", async () => {
    const { error, environment } = await activate(["stream", "netlink"], { LISTEN_PID: "own", LISTEN_FDS: "2" });
    assertStringIncludes(error!, "which has no class here: Socket.fromFd takes it");
    assertEquals(environment, ["LISTEN_FDS", "LISTEN_PID"]);
  });
});

/** The order in which the program prints them. */
function byOrder(one: string, other: string): number {
  const order = ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"];
  return order.indexOf(one) - order.indexOf(other);
}

/** Starts systemd-socket-activate, which executes the program at the first connection. */
async function underSystemd(addresses: string[], ...flags: string[]): Promise<Child> {
  const listens = addresses.flatMap((address) => ["--listen", address]);
  const variables = ["NO_COLOR=1", ...pass("DENO_DIR"), ...pass("HOME")].flatMap((one) => ["--setenv", one]);
  const child = start("systemd-socket-activate", [...flags, ...listens, ...variables, ...DENO, "serve"]);
  for (const address of addresses) await child.waitForLine(new RegExp(`^Listening on .*${address}`), "stderr");
  return child;
}

function pass(variable: string): string[] {
  const value = Deno.env.get(variable);
  return value === undefined ? [] : [`${variable}=${value}`];
}

describe("systemd-socket-activate", TIMEOUT, () => {
  itUnless(noSystemd, "passes a TCP and a Unix listener, by name", async () => {
    using directory = new Directory();
    const [port, path] = [freePort(), directory.file()];
    await using server = await underSystemd([`127.0.0.1:${port}`, path], "--fdname=web:local");
    using overTcp = await connect({ hostname: "127.0.0.1", port });
    assertEquals(await readText(overTcp), "web", server.report());
    using overUnix = await connect({ transport: "unix", path });
    assertEquals(await readText(overUnix), "local", server.report());
    const [line] = await server.waitForLine(/^\{.*\}$/);
    assertEquals(JSON.parse(line).sockets, [["web", "TcpListener", 3], ["local", "UnixListener", 4]]);
  });

  itUnless(noSystemd, "passes datagram sockets, by name", async () => {
    using directory = new Directory();
    const [port, path] = [freePort(), directory.file()];
    await using server = await underSystemd([`127.0.0.1:${port}`, path], "--datagram", "--fdname=metrics:log");
    using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
    await udp.send(bytes("x"), { transport: "udp", hostname: "127.0.0.1", port });
    assertEquals(text((await udp.receive())[0]), "metrics", server.report());
    using unix = listenDatagram({ transport: "unixgram", path: directory.file("own") });
    await unix.send(bytes("x"), { transport: "unixpacket", path });
    assertEquals(text((await unix.receive())[0]), "log", server.report());
  });

  itUnless(noSystemd ?? noSeqpacket, "passes a seqpacket listener, without a name", async () => {
    using directory = new Directory();
    await using server = await underSystemd([directory.file()], "--seqpacket");
    using conn = await connect({ transport: "seqpacket", path: directory.file() });
    const answer = await conn.receive();
    assert(answer !== null, server.report());
    const [line] = await server.waitForLine(/^\{.*\}$/);
    assertEquals(JSON.parse(line).sockets, [[text(answer), "SeqpacketListener", 3]]);
  });
});
