import { assert, assertEquals, assertRejects } from "@std/assert";
import { closeSync, openSync } from "node:fs";
import { it } from "@std/testing/bdd";
import { assertSameBytes, assertTimedOut } from "../../support/assertions.ts";
import { bytes, joined, pattern } from "../../support/bytes.ts";
import { descriptorCount } from "../../support/descriptors.ts";
import { isPending, PAST, rejection } from "../../support/promises.ts";
import type { SocketError } from "../../../mod.ts";
import { FLOOD, type MakePair, narrow, over, readExactly, readToEnd, type Stream } from "./pair.ts";

/** The body of a test over one pair and a file of so many bytes. */
function withFile(
  makePair: MakePair,
  length: number,
  body: (one: Stream, two: Stream, path: string, data: Uint8Array<ArrayBuffer>) => Promise<void>,
): () => Promise<void> {
  return over(makePair, async (one, two) => {
    const path = await Deno.makeTempFile();
    const data = pattern(length, 11);
    await Deno.writeFile(path, data);
    const before = descriptorCount();
    try {
      await body(one, two, path, data);
      assertEquals(descriptorCount(), before - [one, two].filter(closed).length);
    } finally {
      await Deno.remove(path);
    }
  });
}

function closed(conn: Stream): boolean {
  try {
    conn.socket.fd;
    return false;
  } catch {
    return true;
  }
}

/** Files sent without passing through JavaScript. */
export function registerFiles(makePair: MakePair): void {
  it(
    "sends a whole file by its path, between the writes before and after it",
    withFile(makePair, FLOOD + 13, async (one, two, path, data) => {
      narrow(one, two);
      const sent = Promise.all([one.write(bytes("before")), one.sendFile(path), one.write(bytes("after"))]);
      assert(await isPending(sent));
      const whole = joined([bytes("before"), data, bytes("after")]);
      assertSameBytes(await readExactly(two, whole.length), whole);
      assertEquals(await sent, [6, data.length, 5]);
      assertEquals(one.bytesWritten, whole.length);
    }),
  );

  it(
    "sends a part of a file, and no more than there is",
    withFile(makePair, 1000, async (one, two, path, data) => {
      const cases: readonly [{ offset?: number; length?: number }, number, number][] = [
        [{ offset: 10, length: 20 }, 10, 20],
        [{ offset: 990 }, 990, 10],
        [{ length: 5 }, 0, 5],
        [{ offset: 995, length: 100 }, 995, 5],
        [{ offset: 2000 }, 0, 0],
        [{ length: 0 }, 0, 0],
      ];
      for (const [options, start, length] of cases) {
        assertEquals(await one.sendFile(path, options), length);
        if (length > 0) assertSameBytes(await readExactly(two, length), data.subarray(start, start + length));
      }
    }),
  );

  it(
    "sends from a descriptor's position, which advances, or from an offset, and then it does not",
    withFile(makePair, 1000, async (one, two, path, data) => {
      const fd = openSync(path, "r");
      try {
        assertEquals(await one.sendFile(fd, { length: 100 }), 100);
        assertEquals(await one.sendFile(fd, { offset: 500, length: 50 }), 50);
        assertEquals(await one.sendFile(fd), 900);
        const expected = joined([data.subarray(0, 100), data.subarray(500, 550), data.subarray(100)]);
        assertSameBytes(await readExactly(two, expected.length), expected);
      } finally {
        closeSync(fd);
      }
    }),
  );

  it(
    "stops for deadlines and signals, and says how much went out",
    withFile(makePair, FLOOD, async (one, two, path) => {
      narrow(one, two);
      const late = rejection(one.sendFile(path));
      assert(await isPending(late));
      one.setWriteDeadline(PAST);
      const error = await late as SocketError;
      assertTimedOut(error);
      assertEquals([error.syscall, error.bytesWritten], ["sendfile", one.bytesWritten]);
      one.setWriteDeadline(null);
      const stop = new AbortController();
      const aborted = rejection(one.sendFile(path, { signal: stop.signal }));
      stop.abort("enough");
      assertEquals(await aborted, "enough");
      const rest = readToEnd(two);
      one.close();
      assertEquals((await rest).length, one.bytesWritten);
    }),
  );

  it(
    "says that the peer has gone",
    withFile(makePair, FLOOD, async (one, two, path) => {
      two.close();
      const error = await rejection(one.sendFile(path));
      assert(error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset, String(error));
      assert((error as unknown as SocketError).bytesWritten! < FLOOD);
      assertEquals(await rejection(one.sendFile(path)) instanceof Error, true);
    }),
  );

  it(
    "refuses what is no regular file, and opens nothing for it",
    withFile(makePair, 10, async (one, _two, path) => {
      const folder = await Deno.makeTempDir();
      await assertRejects(() => one.sendFile(folder), TypeError, "not a regular file");
      await assertRejects(() => one.sendFile("/dev/null"), TypeError, "not a regular file");
      await assertRejects(() => one.sendFile(`${folder}/none`), Deno.errors.NotFound);
      await assertRejects(() => one.sendFile(one.socket.fd), TypeError, "not a regular file but a socket");
      await assertRejects(() => one.sendFile(99_999), Deno.errors.BadResource);
      for (const odd of [null, undefined, -1, 1.5, {}, 2 ** 31]) {
        await assertRejects(() => one.sendFile(odd as string), TypeError, "Not a file");
      }
      for (const options of [{ offset: -1 }, { length: -1 }, { offset: 1.5 }, { length: NaN }]) {
        await assertRejects(() => one.sendFile(path, options), RangeError);
      }
      await assertRejects(() => one.sendFile(path, { position: 1 } as object), TypeError, "position");
      await Deno.remove(folder);
    }),
  );

  it(
    "sends nothing of a file once it is closed",
    over(makePair, async (one) => {
      one.close();
      await assertRejects(() => one.sendFile("/etc/hostname"), Deno.errors.BadResource);
    }),
  );
}
