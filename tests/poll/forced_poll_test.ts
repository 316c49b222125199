import { assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { startDeno } from "../support/process.ts";
import { ROOT } from "../support/repository.ts";
import { itUnless } from "../support/skipping.ts";
import { linuxTable } from "../support/systems.ts";

noDescriptorLeaks();

const VARIABLE = "BERKELEY_POLLER";
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
  const notLinux = linuxTable ? null : "poll stands in for epoll alone";
  itUnless(notLinux, "forces poll if reading it is permitted, and is not read otherwise", async () => {
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
