import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { start, startDeno } from "../support/process.ts";
import { ROOT } from "../support/repository.ts";
import { itUnless } from "../support/skipping.ts";

noDescriptorLeaks();

const VARIABLE = "BERKELEY_POLLER";
/** What rests on being told of readiness. */
const TESTS = {
  udp: ["connected", "datagram", "dual_stack", "lifetime", "multicast", "random", "reuse_port"],
  io: ["abort", "deadline", "operation_queue"],
  socket: ["socket", "traffic"],
  tcp: ["accept", "conformance", "happy_eyeballs", "stream"],
  unix: ["conformance", "connect", "datagram", "descriptor_passing", "killed", "seqpacket"],
};

function testFiles(): string[] {
  return Object.entries(TESTS).flatMap(([folder, names]) => names.map((name) => `tests/${folder}/${name}_test.ts`));
}

/** Why there is nothing to force: this is the run with the variable, or a system whose only mechanism is another. */
function reason(): string | null {
  if (Deno.build.os !== "linux") return "poll stands in for epoll alone";
  return Deno.env.get(VARIABLE) === "poll" ? "this run is forced already" : null;
}

/** Waits for a datagram, and for the test to have looked. */
const WAITING = `
  import { listenDatagram } from ${JSON.stringify(new URL("mod.ts", ROOT).href)};
  const socket = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
  socket.receive();
  console.log("waiting");`;

/** The kinds of descriptors that a process has which waits for a datagram. */
async function kindsOfDescriptors(env: Record<string, string>, ...flags: string[]): Promise<string[]> {
  await using child = startDeno("-", { stdin: true, env, flags });
  await child.write(WAITING);
  await child.closeInput();
  await child.waitForLine(/^waiting$/);
  const folder = `/proc/${child.pid}/fd`;
  return Array.from(Deno.readDirSync(folder), ({ name }) => Deno.readLinkSync(`${folder}/${name}`));
}

/** How many of them are epoll's, beside those of Deno itself. */
async function epolls(env: Record<string, string>, ...flags: string[]): Promise<number> {
  const kinds = await kindsOfDescriptors(env, ...flags);
  return kinds.filter((kind) => kind === "anon_inode:[eventpoll]").length;
}

describe(`The variable ${VARIABLE}`, { timeout: 60_000 }, () => {
  const notLinux = Deno.build.os === "linux" ? null : "poll stands in for epoll alone";
  itUnless(notLinux, "forces poll where it may be read, and is not asked for where it may not", async () => {
    const forced = { [VARIABLE]: "poll" };
    const other = { [VARIABLE]: "epoll" };
    const [without, withEpoll, unreadable] = await Promise.all([
      epolls(forced, "-A"),
      epolls(other, "-A"),
      epolls(forced, "--allow-ffi", "--allow-net"),
    ]);
    assertEquals([withEpoll - without, unreadable - without], [1, 1]);
  });
});

describe("Everything about sockets", { timeout: 300_000 }, () => {
  itUnless(reason(), "holds with poll in epoll's place", async () => {
    const preload = `--preload=${new URL("tests/support/warm_up.ts", ROOT).pathname}`;
    const args = ["test", "-A", "--no-check", preload, ...testFiles()];
    await using child = start(Deno.execPath(), args, { cwd: ROOT, env: { [VARIABLE]: "poll" } });
    const { success, stdout, report } = await child.finished();
    assert(success, report);
    assertMatch(stdout, /\| \d{2,} passed .*\| 0 failed/);
  });
});
