import { assert, assertEquals } from "@std/assert";
import { afterAll, describe, it } from "@std/testing/bdd";
import { pattern } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { startDeno } from "../support/process.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";

noDescriptorLeaks();

const PROGRAM = new URL("./programs/send_file.ts", import.meta.url);
const LENGTH = 3_000_017;
const folder = Deno.makeTempDirSync();
const path = `${folder}/granted`;
const data = pattern(LENGTH, 3);
Deno.writeFileSync(path, data);
Deno.writeFileSync(`${folder}/secret`, data);
Deno.symlinkSync(`${folder}/secret`, `${folder}/link`);
const notLinux = Deno.build.os === "linux" ? null : "/proc is Linux's";

afterAll(() => Deno.removeSync(folder, { recursive: true }));

interface Outcome {
  sent?: number;
  received?: number;
  sum?: number;
  name?: string;
  message?: string;
}

async function outcome(args: readonly string[], flags: readonly string[], env = {}): Promise<Outcome> {
  const all = ["--allow-ffi", "--allow-net=127.0.0.1", ...flags];
  const { success, stdout, report } = await startDeno(PROGRAM, { args, flags: all, env }).finished();
  assert(success, report);
  return JSON.parse(stdout);
}

function expected(start: number, length: number): Outcome {
  let sum = 0;
  for (const byte of data.subarray(start, start + length)) sum = (sum * 31 + byte) % 1_000_003;
  return { sent: length, received: length, sum };
}

describe("sendFile() of a path", TIMEOUT, () => {
  it("sends it with a grant for that path alone", async () => {
    assertEquals(await outcome([path], [`--allow-read=${path}`]), expected(0, LENGTH));
    assertEquals(await outcome([path, "1000", "50000"], [`--allow-read=${path}`]), expected(1000, 50_000));
  });

  it("is NotCapable without, also by a link to what is not granted", async () => {
    for (const other of [`${folder}/secret`, `${folder}/link`, folder]) {
      const { name, message } = await outcome([other], [`--allow-read=${path}`]);
      assertEquals(name, "NotCapable", message);
    }
    const { name } = await outcome([`${folder}/link`], [`--allow-read=${folder}`, `--deny-read=${folder}/secret`]);
    assertEquals(name, "NotCapable");
  });

  itUnless(notLinux, "does not reach what Deno keeps to itself", async () => {
    const { name } = await outcome(["/proc/self/environ"], ["--allow-read"]);
    assertEquals(name, "NotCapable");
  });

  it("copies the same bytes where the system has no sendfile(2)", async () => {
    const env = { BERKELEY_SENDFILE: "off" };
    const flags = [`--allow-read=${path}`, "--allow-env"];
    assertEquals(await outcome([path], flags, env), expected(0, LENGTH));
    assertEquals(await outcome([path, "70000", "80000"], flags, env), expected(70_000, 80_000));
  });
});
