import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { libraryPath, noLibraryPath } from "./support/c_library.ts";
import { noDescriptorLeaks } from "./support/descriptors.ts";
import { FileServer } from "./support/file_server.ts";
import { type Finished, startDeno } from "./support/process.ts";
import { itUnless } from "./support/skipping.ts";

noDescriptorLeaks();

/** What is imported from a URL: the door and the house, as published, and nothing else of the repository. */
const PUBLISHED = /^\/(mod\.ts|ffi\/[\w/]+\.ts)$/;

/** A program that imports the module from its URL. */
function program(url: string): string {
  return `
    import { listenDatagram, sockopt } from "${url}";
    const [group] = Deno.args;
    const at = (hostname, port) => ({ transport: "udp", hostname, port });
    using receiver = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
    using sender = listenDatagram({ transport: "udp", hostname: "127.0.0.1", loopback: true });
    await sender.send(new TextEncoder().encode("unicast"), receiver.addr);
    console.log(new TextDecoder().decode((await receiver.receive())[0]));
    const waiting = receiver.receiveMessage();
    setTimeout(() => sender.send(new TextEncoder().encode("waited for"), receiver.addr), 1);
    console.log(new TextDecoder().decode((await waiting).data));
    console.log(receiver.socket.getOption(sockopt.SO_REUSEPORT));
    if (group !== undefined) {
      using member = listenDatagram({ transport: "udp", hostname: group });
      using membership = member.joinMulticast(group, { interface: "127.0.0.1" });
      sender.setMulticastInterface("127.0.0.1");
      await sender.send(new TextEncoder().encode("multicast"), at(membership.group, member.addr.port));
      console.log(new TextDecoder().decode((await member.receive())[0]));
    }
    try {
      listenDatagram({ transport: "udp", hostname: "127.0.0.2" });
    } catch (error) {
      console.log(error.name);
    }`;
}

let server: FileServer;
let cache: string;

beforeAll(async () => {
  cache = await Deno.makeTempDir();
  server = new FileServer();
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await Deno.remove(cache, { recursive: true });
});

describe("Imported from a URL", { timeout: 60_000 }, () => {
  /** Runs the program with these grants besides that of importing, and a cache that has never seen the module. */
  async function runProgram(flags: string[], ...args: string[]): Promise<Finished> {
    const child = startDeno("-", {
      flags: ["--no-config", "--no-lock", `--allow-import=${server.host}`, ...flags],
      args,
      stdin: true,
      cwd: cache,
      env: { DENO_DIR: `${cache}/${crypto.randomUUID()}` },
    });
    await child.write(program(server.url("mod.ts")));
    await child.closeInput();
    return await child.finished();
  }

  it("works with --allow-ffi and --allow-net=127.0.0.1, and loads only published files", async () => {
    const { success, stdout, report } = await runProgram(["--allow-ffi", "--allow-net=127.0.0.1"]);
    assert(success, report);
    assertEquals(stdout.split("\n"), ["unicast", "waited for", "false", "NotCapable"]);
    assertEquals([...server.requested].filter((path) => !PUBLISHED.test(path)), []);
  });

  it("joins a permitted group", async () => {
    const group = "239.255.41.1";
    const { success, stdout, report } = await runProgram(["--allow-ffi", `--allow-net=127.0.0.1,${group}`], group);
    assert(success, report);
    assertEquals(stdout.split("\n"), ["unicast", "waited for", "false", "multicast", "NotCapable"]);
  });

  itUnless(noLibraryPath, "works with the C library's path granted alone", async () => {
    const { success, stdout, report } = await runProgram([`--allow-ffi=${libraryPath}`, "--allow-net=127.0.0.1"]);
    assert(success, report);
    assertEquals(stdout.split("\n"), ["unicast", "waited for", "false", "NotCapable"]);
  });

  it("is refused without --allow-ffi", async () => {
    const { success, stderr } = await runProgram(["--allow-net=127.0.0.1"]);
    assert(!success);
    assertStringIncludes(stderr, "NotCapable: Requires ffi access");
  });
});
