import { assert, assertEquals, assertGreater, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { type Finished, run } from "../support/process.ts";
import { itUnless } from "../support/skipping.ts";
import { printedCommands, startDashboard, startExample } from "./support.ts";

noDescriptorLeaks();

/** The state that the page receives. */
interface State {
  time: number;
  load: { udp: Deno.NetAddr; tcp: Deno.NetAddr; flows: number };
  workers: { datagrams: number; connections: number }[];
}

async function runExample(...args: string[]): Promise<Finished> {
  const child = await startExample("dashboard", { args: ["--port", "0", ...args] });
  return await child.finished();
}

/** Asks on a connection that is closed afterwards. */
async function ask<T>(url: string, read: (response: Response) => Promise<T>, init: RequestInit = {}): Promise<T> {
  using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  return await read(await fetch(url, { ...init, client }));
}

/** Returns the first states that the page would receive. */
async function states(url: string, count: number): Promise<State[]> {
  return await ask(`${url}events`, async ({ body }) => {
    const found: State[] = [];
    let text = "";
    for await (const piece of body!.pipeThrough(new TextDecoderStream())) {
      const events = (text += piece).split("\n\n");
      text = events.pop()!;
      found.push(...events.map((event) => JSON.parse(event.replace("data: ", "")) as State));
      if (found.length >= count) break;
    }
    return found;
  });
}

describe("examples/dashboard.ts", () => {
  it("reports how datagrams and connections are distributed, and counts each once", async () => {
    const { dashboard, url } = await startDashboard("--rate", "2000", "--workers", "3");
    await using _dashboard = dashboard;
    const all = await states(url, 6);
    for (const { workers, load } of all) {
      assertEquals([workers.length, load.flows], [3, 32]);
      assert(load.udp.port > 0 && load.tcp.port > 0);
    }
    const [first, last] = [all[0]!, all.at(-1)!];
    for (const kind of ["datagrams", "connections"] as const) {
      for (const [index, worker] of last.workers.entries()) assertGreater(worker[kind], first.workers[index]![kind]);
    }
    const total = last.workers.reduce((sum, { datagrams }) => sum + datagrams, 0);
    // The load starts with the program, and what it could not send in time it does not make up for.
    assertLess(total, (last.time + 2000) * 2);
  });

  it("shows that the datagrams of one socket go to one Worker", async () => {
    const { dashboard, url } = await startDashboard("--flows", "1", "--rate", "500");
    await using _dashboard = dashboard;
    const [first, second] = await states(url, 2);
    const moved = second!.workers.filter(({ datagrams }, index) => datagrams > first!.workers[index]!.datagrams);
    assertEquals(moved.length, 1);
  });

  itUnless(
    Deno.build.os === "linux" ? null : "no steering here",
    "steers one socket's datagrams to all Workers",
    async () => {
      const { dashboard, url } = await startDashboard("--flows", "1", "--rate", "2000", "--steer");
      await using _dashboard = dashboard;
      const [first, last] = (await states(url, 4)).filter((_, index) => index === 0 || index === 3);
      const counts = last!.workers.map(({ datagrams }, index) => datagrams - first!.workers[index]!.datagrams);
      const even = counts.reduce((sum, count) => sum + count, 0) / counts.length;
      assertGreater(even, 0);
      // A Worker counts a burst at a time.
      for (const count of counts) assert(Math.abs(count - even) < even / 2, counts.join(", "));
    },
  );

  it("generates no load if none is requested", async () => {
    const { code, stdout, report } = await runExample("--rate", "0", "--connections", "0", "--seconds", "1");
    assertEquals(code, 0, report);
    const lines = [1, 2, 3, 4].map((worker) => `worker ${worker}: 0 datagrams, 0 connections`);
    assertEquals(stdout.split("\n").slice(1), lines);
  });

  it("restricts the page to its own script and this server", async () => {
    const { dashboard, url } = await startDashboard();
    await using _dashboard = dashboard;
    const [policy, html] = await ask(url, async (response) => {
      return [response.headers.get("content-security-policy")!, await response.text()];
    });
    assertMatch(policy, /^default-src 'none'; script-src 'nonce-(\S+)'; style-src 'nonce-\1'; connect-src 'self'/);
    const [, nonce] = policy.match(/nonce-([\w-]+)/)!;
    assertEquals(html.match(/<(script|style)\b[^>]*>/g)?.map((tag) => tag.includes(`nonce="${nonce}"`)), [true, true]);
    assertEquals(html.match(/https?:\/\/(?!www\.w3\.org\/2000\/svg)/g), null);
    const again = await ask(url, (response) => response.text());
    assert(!again.includes(nonce!), "The nonce of one page is that of another");
  });

  it("answers unknown paths and too many pages with one line", async () => {
    const { dashboard, url } = await startDashboard();
    await using _dashboard = dashboard;
    const read = async (response: Response) => [response.status, await response.text()];
    assertEquals(await ask(`${url}else`, read), [404, "Only / and /events\n"]);
    assertEquals(await ask(url, read, { method: "POST", body: "text" }), [405, "Only GET\n"]);
    const stop = new AbortController();
    using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
    const watchers = await Promise.all(
      Array.from({ length: 16 }, () => fetch(`${url}events`, { client, signal: stop.signal })),
    );
    assert(watchers.every(({ ok }) => ok));
    assertEquals(await ask(`${url}events`, read), [503, "Too many pages are open\n"]);
    const ended = watchers.map((watcher) => watcher.text());
    stop.abort();
    await Promise.allSettled(ended);
    // Who goes makes place for others, as soon as that is known.
    for (let status = 503; status === 503;) {
      status = await ask(`${url}events`, async (response) => {
        await response.body!.cancel();
        return response.status;
      });
    }
  });

  it("ends after the given seconds, also with an open connection", async () => {
    const { dashboard, url } = await startDashboard("--seconds", "1");
    await using _dashboard = dashboard;
    using silent = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(url).port) });
    await silent.write(new TextEncoder().encode("GET / HTTP/1.1\r\n"));
    const { code, stdout, report } = await dashboard.finished();
    assertEquals(code, 0, report);
    for (const worker of [1, 2, 3, 4]) {
      assertMatch(stdout, new RegExp(`^worker ${worker}: \\d+ datagrams, \\d+ connections$`, "m"));
    }
  });

  it("ends on Ctrl-C", async () => {
    const { dashboard } = await startDashboard();
    await using _dashboard = dashboard;
    const { code, report } = await dashboard.end("SIGINT");
    assertEquals(code, 0, report);
  });

  it("prints one line if the port is in use", async () => {
    using holder = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = holder.addr;
    const { code, stdout, stderr, report } = await runExample("--port", String(port));
    assertEquals(code, 1, report);
    assertEquals(stdout, "");
    assertMatch(stderr, new RegExp(`^dashboard: bind 127\\.0\\.0\\.1:${port}: address already in use .*$`));
  });

  it("prints one line for the error of a Worker", async () => {
    const [command] = await printedCommands("dashboard");
    const flags = command!.slice(1).map((flag) => flag.replace("examples,ffi,mod.ts", "examples"));
    const args = ["run", "--no-prompt", ...flags, "--port", "0"];
    const { code, stderr, report } = await run(Deno.execPath(), args, { cwd: new URL("../../", import.meta.url) });
    assertEquals(code, 1, report);
    assertMatch(stderr, /^dashboard: (worker|load)\.ts: Requires read access to .*--allow-read flag$/m);
  });
});

describe("The command line of examples/dashboard.ts", () => {
  it("prints all options on --help", async () => {
    const { success, stdout, report } = await runExample("--help");
    assert(success, report);
    for (const option of ["workers", "rate", "connections", "flows", "seconds", "host", "port", "help"]) {
      assertStringIncludes(stdout, `--${option} `);
    }
  });

  it("needs permission for loopback and the code of its Workers only", async () => {
    const flags = ["--allow-ffi", "--allow-net=127.0.0.1", "--allow-read=examples,ffi,mod.ts"];
    assertEquals(await printedCommands("dashboard"), [["run", ...flags, "examples/dashboard.ts"]]);
  });

  const mistakes: [args: string[], line: RegExp][] = [
    [["--bogus"], /^unknown option --bogus; see --help$/],
    [["--workers", "9"], /^--workers 9: expected a whole number from 1 to 8$/],
    [["--rate", "1e6"], /^--rate 1e6: expected 0 to 100000$/],
    [["--flows", "0"], /^--flows 0: expected a whole number from 1 to 256$/],
    [["--seconds", "0"], /^--seconds 0: expected 1 to 86400$/],
    [["--host", "192.0.2.55"], /^Requires net access to "192\.0\.2\.55:0", .*--allow-net flag$/],
  ];
  for (const [args, line] of mistakes) {
    it(`prints one line for ${args.join(" ")}`, async () => {
      const { code, stdout, stderr, report } = await runExample(...args);
      assertEquals(code, 1, report);
      assertEquals(stdout, "");
      assertMatch(stderr, /^dashboard: .*$/);
      assertMatch(stderr.replace("dashboard: ", ""), line);
    });
  }
});
