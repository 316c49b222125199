import { assert, assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { run } from "../support/process.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { connected, converse, foreign, listening, missing, nc, untilExists, withPath } from "./nc_support.ts";

noDescriptorLeaks();

describe("examples/nc.ts over Unix sockets", TIMEOUT, () => {
  itUnless(missing, "talks with nc -U, socat and ncat -U, both ways", async () => {
    for (const tool of [["nc", "-U"], ["ncat", "-U"], ["socat", "-"]]) {
      await withPath(async (path) => {
        const [command, ...args] = tool as [string, ...string[]];
        const [ours] = await listening("-U", path);
        await using _ours = ours;
        await using theirs = foreign(command, ...args, command === "socat" ? `UNIX-CONNECT:${path}` : path);
        await converse(theirs, ours);
        await theirs.end("SIGINT");
        await ours.finished();
        const listen = { nc: ["-lU", path], ncat: ["-lU", path], socat: ["-", `UNIX-LISTEN:${path}`] }[command]!;
        await using server = foreign(command, ...listen);
        await untilExists(path);
        const client = await connected("-U", path);
        await using _client = client;
        await converse(client, server);
      });
    }
  });

  itUnless(missing, "knows abstract names, with socat", async () => {
    const name = `berkeley-nc-${crypto.randomUUID()}`;
    const [ours, at] = await listening("-U", `@${name}`);
    await using _ours = ours;
    assertEquals(at, `@${name}`);
    await using theirs = foreign("socat", "-", `ABSTRACT-CONNECT:${name}`);
    await converse(theirs, ours);
  });

  itUnless(missing, "keeps messages apart with --seqpacket, with socat", async () => {
    const SOCK_SEQPACKET = 5;
    await withPath(async (path) => {
      const [ours] = await listening("-U", "--seqpacket", path);
      await using _ours = ours;
      await using theirs = foreign("socat", "-", `UNIX-CONNECT:${path},type=${SOCK_SEQPACKET}`);
      await converse(theirs, ours);
    });
  });

  itUnless(missing, "exchanges datagrams, with socat and nc", async () => {
    await withPath(async (path) => {
      const [ours] = await listening("-uU", path);
      await using _ours = ours;
      await using theirs = foreign("socat", "-", `UNIX-SENDTO:${path},bind=${path}.back`);
      await converse(theirs, ours);
      assert((await run("nc", ["-uU", "-w", "1", path], { input: "by nc\n" })).success);
      await ours.waitForLine(/^by nc$/);
      await ours.end("SIGINT");
      await using receiving = foreign("socat", "-u", `UNIX-RECV:${path}`, "STDOUT");
      await untilExists(path);
      const client = nc("-uUN", path);
      await client.write("to socat\n");
      await client.closeInput();
      await receiving.waitForLine(/^to socat$/);
      assertEquals((await client.finished()).code, 0);
    });
  });
});
