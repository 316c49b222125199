import { assert, assertEquals, assertLess } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { connect, type TcpConn } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { type Child, run, start, startDeno } from "../support/process.ts";
import { itUnless } from "../support/skipping.ts";
import { listenTcp } from "./support.ts";

noDescriptorLeaks();

/** Not a measurement: a hang should end with a report. */
const TIMEOUT = { timeout: 180_000 } as const;

const CYCLES = 20_000;
const CONNECTIONS = 5_000;
const MEBIBYTE = 1 << 20;

/** Descriptors for all connections and for Deno itself. */
const DESCRIPTORS = CONNECTIONS + 500;

function program(name: string): string {
  return new URL(`./programs/${name}`, import.meta.url).href;
}

/** Why a process may not have so many descriptors, or null. */
async function tooFewDescriptors(): Promise<string | null> {
  const { success, stderr } = await run("sh", ["-c", `ulimit -n ${DESCRIPTORS}`]);
  return success ? null : `a process may not have ${DESCRIPTORS} descriptors here: ${stderr.trim()}`;
}

/** Starts a program that may have so many. */
function startWithDescriptors(name: string, args: string[], stdin = false): Child {
  const script = `ulimit -n ${DESCRIPTORS} && exec "$0" run --no-prompt -A "$@"`;
  return start("sh", ["-c", script, Deno.execPath(), program(name), ...args], { stdin });
}

/** One quarter of the cycles, and what was left after it. */
interface Quarter {
  rss: number;
  heap: number;
  descriptors: number;
}

const TOO_FEW = await tooFewDescriptors();

describe(`${CYCLES} connections made, accepted and closed`, TIMEOUT, () => {
  it("leave no descriptor and no memory behind", async () => {
    const flags = ["-A", "--v8-flags=--expose-gc"];
    await using child = startDeno(program("cycles.ts"), { flags, args: [String(CYCLES)] });
    const { success, stdout, report } = await child.finished();
    assert(success, report);
    const quarters: Quarter[] = JSON.parse(stdout);
    const [first, second, , last] = quarters as [Quarter, Quarter, Quarter, Quarter];
    assertEquals(last.descriptors, first.descriptors);
    // Between these lie 10,000 cycles: one that kept 100 bytes would be found.
    assertLess(last.heap - second.heap, MEBIBYTE, stdout);
    assertLess(last.rss - second.rss, 48 * MEBIBYTE, stdout);
  });
});

describe(`${CONNECTIONS} connections open at once`, TIMEOUT, () => {
  itUnless(TOO_FEW, "each echo their own data", async () => {
    await using server = startWithDescriptors("echo_server.ts", [], true);
    const port = (await server.waitForLine(/^port (\d+)$/))[1]!;
    await using client = startWithDescriptors("many_connections.ts", [port, String(CONNECTIONS)]);
    const { success, stdout, report } = await client.finished();
    assert(success, report);
    assertEquals(JSON.parse(stdout), { open: CONNECTIONS, rounds: [CONNECTIONS, CONNECTIONS], left: 0 });
    await server.closeInput();
    const served = await server.finished();
    assert(served.success, served.report);
    const last = served.stdout.trim().split("\n").at(-1)!;
    assertEquals(JSON.parse(last), { served: CONNECTIONS, most: CONNECTIONS, open: 0 });
  });
});

function random(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
}

async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** Sends it all in pieces of any size. */
async function sendInPieces(conn: TcpConn, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const piece = bytes.subarray(at, at + 1 + Math.floor(Math.random() * 20_000));
    at += await conn.write(piece);
  }
  await conn.closeWrite();
}

/** Reads to the end in pieces of any size. */
async function receiveInPieces(conn: TcpConn, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length + 1);
  for (let at = 0;;) {
    const room = bytes.subarray(at, at + 1 + Math.floor(Math.random() * 20_000));
    const count = await conn.read(room);
    if (count === null) return bytes.slice(0, at);
    at += count;
  }
}

describe("Fifty connections that carry half a megabyte of noise in either direction", TIMEOUT, () => {
  it("deliver all of it, by its checksum", async () => {
    using listener = listenTcp();
    const size = 500_000;
    const sides = async (): Promise<void> => {
      const [sent, answer] = [random(size), random(size)];
      // Whichever connection it gets is one of those dialled here: what it said tells which.
      const serving = listener.accept().then(async (conn) => {
        using _closing = conn;
        const [received] = await Promise.all([receiveInPieces(conn, size), sendInPieces(conn, answer)]);
        return { received: await digest(received), said: await digest(answer) };
      });
      using conn = await connect({ port: listener.addr.port });
      const [received] = await Promise.all([receiveInPieces(conn, size), sendInPieces(conn, sent)]);
      outcomes.push({ sent: await digest(sent), received: await digest(received) });
      served.push(await serving);
    };
    const outcomes: { sent: string; received: string }[] = [];
    const served: { received: string; said: string }[] = [];
    await Promise.all(Array.from({ length: 50 }, sides));
    assertEquals(served.map(({ received }) => received).sort(), outcomes.map(({ sent }) => sent).sort());
    assertEquals(served.map(({ said }) => said).sort(), outcomes.map(({ received }) => received).sort());
  });
});
