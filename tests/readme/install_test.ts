import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { FileServer } from "../support/file_server.ts";
import { type Finished, run } from "../support/process.ts";
import { CONFIG, ROOT } from "../support/repository.ts";
import { NAME, readme } from "./programs.ts";

noDescriptorLeaks();

const install = readme.slice(readme.indexOf("## Install"), readme.indexOf("## Three programs"));
const { name, version } = JSON.parse(await Deno.readTextFile(CONFIG)) as { name: string; version: string };

/** What the imports of the section are followed by. */
const USE = 'using listener = listen({ hostname: "127.0.0.1", port: 0 });\nconsole.log(listener.addr.port > 0);\n';
const FLAGS = ["--no-prompt", "--allow-ffi", "--allow-net=127.0.0.1"];

let folder: string;
beforeAll(async () => {
  folder = await Deno.makeTempDir({ prefix: "berkeley-" });
});
afterAll(async () => await Deno.remove(folder, { recursive: true }));

/** The import that the section prints from a place. */
function printedImport(place: RegExp): string {
  const line = install.split("\n").find((line) => line.startsWith("import ") && place.test(line));
  assert(line !== undefined, `No import of ${place} in\n${install}`);
  return line;
}

/** Runs a program in a folder of its own, with a cache of its own. */
async function runProgram(text: string, flags: string[] = [], files: Record<string, string> = {}): Promise<Finished> {
  const cwd = await Deno.makeTempDir({ dir: folder });
  await Deno.writeTextFile(`${cwd}/program.ts`, text);
  for (const [path, content] of Object.entries(files)) await Deno.writeTextFile(`${cwd}/${path}`, content);
  const env = { DENO_DIR: `${cwd}/cache` };
  return await run(Deno.execPath(), ["run", ...FLAGS, ...flags, "program.ts"], { cwd, env });
}

async function copyFolder(from: URL, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(new URL(`${name}/`, from), `${to}/${name}`);
    else await Deno.copyFile(new URL(name, from), `${to}/${name}`);
  }
}

function assertWorks({ success, stdout, report }: Finished): void {
  assert(success, report);
  assertEquals(stdout, "true", report);
}

/** Copies what the section names into the folder that its imports name. */
async function copyModule(to: string): Promise<void> {
  await copyFolder(new URL("ffi/", ROOT), `${to}/berkeley/ffi`);
  await Deno.copyFile(new URL("mod.ts", ROOT), `${to}/berkeley/mod.ts`);
}

describe("Installing from a path", () => {
  it("needs mod.ts and ffi/ and nothing else, with the program and the command printed", async () => {
    const cwd = await Deno.makeTempDir({ dir: folder });
    await copyModule(cwd);
    const [, program] = install.match(/```ts\n(import [^`]*"\.\/berkeley\/mod\.ts"[^`]*)```/)!;
    const [, command] = install.match(/`deno (run [^`]* main\.ts)`/)!;
    await Deno.writeTextFile(`${cwd}/main.ts`, program!);
    const [verb, ...args] = command!.split(" ");
    assertWorks(await run(Deno.execPath(), [verb!, "--no-prompt", ...args], { cwd }));
  });
});

describe("Installing from a URL", { timeout: 60_000 }, () => {
  /** The printed import, from the test's own server. */
  function importFrom(server: FileServer): string {
    return printedImport(/"https:/).replace(/"https:.*\/mod\.ts"/, JSON.stringify(server.url("mod.ts")));
  }

  it("names the tag of this version", () => {
    assertStringIncludes(printedImport(/"https:/), `/v${version}/mod.ts"`);
  });

  for (const type of ["application/typescript", "text/plain", "application/octet-stream", "video/mp2t", null]) {
    it(`takes a server's media type ${type ?? "that is none"}, with --allow-import`, async () => {
      if (type !== null) assertStringIncludes(install, `\`${type}\``);
      await using server = new FileServer(type);
      assertWorks(await runProgram(`${importFrom(server)}\n${USE}`, [`--allow-import=${server.host}`]));
    });
  }

  for (const type of ["text/html", "text/javascript", "text/vnd.trolltech.linguist"]) {
    it(`does not take a server's media type ${type}`, async () => {
      await using server = new FileServer(type);
      const { success, stderr } = await runProgram(`${importFrom(server)}\n${USE}`, [`--allow-import=${server.host}`]);
      assert(!success);
      assertMatch(stderr, /SyntaxError|Unknown module/);
    });
  }

  it("needs --allow-import for a host that is none of Deno's own", async () => {
    await using server = new FileServer();
    const { success, stderr } = await runProgram(`${importFrom(server)}\n${USE}`);
    assert(!success);
    assertStringIncludes(stderr, "Requires import access");
  });

  it("needs no flag for the hosts named, by Deno's own help", async () => {
    const { stdout } = await run(Deno.execPath(), ["run", "--help=full"]);
    const [, hosts] = stdout.match(/--allow-import.*\n\s*Default value: (\S+)/) ?? [];
    for (const host of ["raw.githubusercontent.com", "cdn.jsdelivr.net", "esm.sh", "deno.land", "jsr.io"]) {
      assertStringIncludes(install, host);
      assert(hosts!.split(",").includes(`${host}:443`), `${host} is not in ${hosts}`);
    }
  });
});

describe("Installing by an import map", () => {
  it("leaves a submodule's own tests out, by the entry printed", async () => {
    const cwd = await Deno.makeTempDir({ dir: folder });
    await copyModule(cwd);
    const test = (outcome: string) =>
      `import { openLibrary } from "${NAME}";
      openLibrary();
      Deno.test("one", () => { ${outcome} });\n`;
    await Deno.mkdir(`${cwd}/berkeley/tests`);
    await Deno.writeTextFile(`${cwd}/berkeley/tests/its_test.ts`, test('throw new Error("run");'));
    await Deno.writeTextFile(`${cwd}/own_test.ts`, test(""));
    await Deno.writeTextFile(`${cwd}/deno.json`, install.match(/```json\n([^`]*)```/)![1]!);
    const { success, stdout, report } = await run(
      Deno.execPath(),
      ["test", "--no-check", "--no-prompt", "--allow-ffi"],
      { cwd },
    );
    assert(success, report);
    assertMatch(stdout, /^ok \| 1 passed \| 0 failed/m, report);
  });

  it("works with the entry printed", async () => {
    const [, json] = install.match(/```json\n([^`]*)```/)!;
    const { imports } = JSON.parse(json!) as { imports: Record<string, string> };
    assertEquals(Object.keys(imports), [NAME]);
    const map = JSON.stringify({ imports: { [NAME]: new URL("mod.ts", ROOT).href } });
    assertEquals(imports[NAME], "./berkeley/mod.ts");
    assertWorks(await runProgram(`import { listen } from "${NAME}";\n${USE}`, [], { "deno.json": map }));
  });
});

describe("The documentation", () => {
  it("is printed and built by the commands of the section", async () => {
    const cwd = await Deno.makeTempDir({ dir: folder });
    await copyModule(cwd);
    const commands = Array.from(install.matchAll(/`deno (doc [^`]*)`/g), ([, command]) => command!.split(" "));
    assertEquals(commands.length, 2);
    const [printed, built] = await Promise.all(commands.map((command) => run(Deno.execPath(), command, { cwd })));
    assert(printed!.success, printed!.report);
    assertStringIncludes(printed!.stdout, "function listen(options: TcpListenOptions): TcpListener");
    assert(built!.success, built!.report);
    assertStringIncludes(await Deno.readTextFile(`${cwd}/docs/index.html`), "listenDatagram");
  });
});

describe("Installing from JSR", () => {
  it("is said to come, under the package's own name", () => {
    assertEquals(name, NAME);
    assertStringIncludes(install.replaceAll("\n", " "), `\`${name}\` has not been published there.`);
    assertStringIncludes(install, `deno add jsr:${name}`);
  });

  it("would get the module and nothing else of the repository", async () => {
    const args = ["publish", "--dry-run", "--allow-dirty"];
    const { success, stdout, stderr, report } = await run(Deno.execPath(), args, { cwd: ROOT });
    assert(success, report);
    const files = Array.from((stdout + stderr).matchAll(/file:\/\/(\S+) \([\d.]+\w+\)/g), ([, path]) => path!);
    const paths = files.map((path) => path.slice(ROOT.pathname.length));
    assert(paths.includes("mod.ts") && paths.includes("ffi/connect.ts"), report);
    for (const path of paths) assertMatch(path, /^(mod\.ts|ffi\/.+|README\.md|CHANGELOG\.md|LICENSE|deno\.json)$/);
  });
});
