import { assert, assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import type { Child } from "../support/process.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { startExample } from "./support.ts";

noDescriptorLeaks();

/** Where the demo listens, whoever runs it. */
const PATH = "/tmp/berkeley-demo.sock";

/** The most starts of a demo, and looks for the file of one. */
const ATTEMPTS = 20;
const LOOKS = 1_000_000;

const noProc = Deno.build.os === "linux" ? null : "finds the socket's process in /proc of Linux";

/** Which file is at the path; null without one. */
function fileAtPath(): string | null {
  try {
    const { ino, mtime } = Deno.lstatSync(PATH);
    return `${ino} ${mtime?.getTime()}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Whether a process has a socket open that listens at the path. */
function listens(pid: number): boolean {
  const rows = Deno.readTextFileSync("/proc/self/net/unix").split("\n").map((row) => row.split(/\s+/));
  // SO_ACCEPTCON of <linux/net.h>.
  const listening = rows.filter((row) => row[7] === PATH && (parseInt(row[3]!, 16) & 0x10000) !== 0);
  const sockets = listening.map((row) => `socket:[${row[6]}]`);
  const folder = `/proc/${pid}/fd`;
  return Array.from(Deno.readDirSync(folder)).some(({ name }) => {
    try {
      return sockets.includes(Deno.readLinkSync(`${folder}/${name}`));
    } catch {
      return false;
    }
  });
}

/** Stops a demo while it listens. Returns its file, or null where it did not stand still at the right moment. */
function stopAtPath({ pid }: Child): string | null {
  const before = fileAtPath();
  for (let look = 0; look < LOOKS; look++) {
    const file = fileAtPath();
    if (file === null || file === before) continue;
    Deno.kill(pid, "SIGSTOP");
    if (listens(pid) && fileAtPath() === file) return file;
    // It has bound its socket and does not listen yet, or the file is of another run.
    Deno.kill(pid, "SIGCONT");
  }
  return null;
}

/** Starts demos until one stands still while it listens, and passes it on with its file. */
async function withStoppedDemo(use: (demo: Child, file: string) => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    await using demo = await startExample("demo");
    const file = stopAtPath(demo);
    if (file !== null && await use(demo, file)) return;
  }
  throw new Error(`None of ${ATTEMPTS} demos stood still at the right moment`);
}

describe("The path of the demo", TIMEOUT, () => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    itUnless(noProc, `is removed at ${signal}`, async () => {
      await withStoppedDemo(async (demo, file) => {
        demo.kill(signal);
        const { code, report } = await demo.end("SIGCONT");
        assert(fileAtPath() !== file, report);
        // It may have ended before the signal reached it.
        return code === 1;
      });
    });
  }

  itUnless(noProc, "is removed after an error", async () => {
    await withStoppedDemo(async (demo, file) => {
      // Accepted in the place of the demo's own client, which waits for an answer until its deadline.
      using _client = await Deno.connect({ transport: "unix", path: PATH });
      const { code, stdout, report } = await demo.end("SIGCONT");
      assert(fileAtPath() !== file, report);
      if (!stdout.includes("✗ The part runs to its end")) return false;
      assertEquals(code, 1, report);
      return true;
    });
  });
});
