import { assert, assertEquals, assertFalse, assertRejects, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type IpNetwork, isSocketError, resolveAddress, type UnixNetwork } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { UNKNOWN_HOST } from "../support/loopback.ts";
import { startDeno } from "../support/process.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";

noDescriptorLeaks();

const notLinux = Deno.build.os === "linux" ? null : "loopback has another name here";

describe("resolveAddress() of an IP network", TIMEOUT, () => {
  const rows: readonly (readonly [IpNetwork, string, Deno.NetAddr["transport"], string, number])[] = [
    ["tcp", "127.0.0.1:80", "tcp", "127.0.0.1", 80],
    ["tcp4", "127.0.0.1:80", "tcp", "127.0.0.1", 80],
    ["tcp", "[::1]:80", "tcp", "::1", 80],
    ["tcp6", "[::1]:80", "tcp", "::1", 80],
    ["udp", "192.0.2.1:0", "udp", "192.0.2.1", 0],
    ["udp", "[2001:DB8:0::1]:65535", "udp", "2001:db8::1", 65_535],
    ["udp", ":53", "udp", "0.0.0.0", 53],
    ["udp4", ":53", "udp", "0.0.0.0", 53],
    ["udp6", ":53", "udp", "::", 53],
    ["tcp", ":0", "tcp", "0.0.0.0", 0],
    ["ip", "127.0.0.1", "udp", "127.0.0.1", 0],
    ["ip6", "::1", "udp", "::1", 0],
    ["tcp4", "localhost:80", "tcp", "127.0.0.1", 80],
    ["ip4", "localhost", "udp", "127.0.0.1", 0],
  ];
  for (const [network, text, transport, hostname, port] of rows) {
    it(`${network} reads ${JSON.stringify(text)}`, async () => {
      assertEquals(await resolveAddress(network, text), { transport, hostname, port });
    });
  }

  itUnless(notLinux, "keeps a zone", async () => {
    for (const zone of ["lo", "1"]) {
      const address = await resolveAddress("udp", `[fe80::1%${zone}]:5353`);
      assertEquals(address, { transport: "udp", hostname: "fe80::1%lo", port: 5353 });
    }
    assertEquals((await resolveAddress("ip6", "fe80::1%lo")).hostname, "fe80::1%lo");
  });

  it("looks names up in the hosts file", async () => {
    const { hostname } = await resolveAddress("udp", "localhost:9");
    assert(hostname === "127.0.0.1" || hostname === "::1", hostname);
  });

  it("looks many names up at a time", async () => {
    const all = Array.from({ length: 50 }, (_, port) => resolveAddress("tcp4", `localhost:${port}`));
    assertEquals((await Promise.all(all)).map(({ port }) => port), Array.from(all.keys()));
  });

  for (
    const [network, text] of [
      ["tcp", "127.0.0.1"],
      ["tcp", "localhost"],
      ["tcp", "::1"],
      ["tcp", "::1:80"],
      ["tcp", "[::1]"],
      ["tcp", "[::1]80"],
      ["tcp", "127.0.0.1:"],
      ["tcp", "127.0.0.1:http"],
      ["tcp", "127.0.0.1:-1"],
      ["tcp", "127.0.0.1:8 0"],
      ["tcp", ""],
      ["tcp", "http://localhost:80"],
      ["tcp", "a b:80"],
      ["tcp", "a\0b:80"],
      ["tcp", "[localhost]:80x"],
      ["udp4", "[::1]:53"],
      ["udp6", "127.0.0.1:53"],
      ["ip", ""],
      ["ip", "127.0.0.1:80"],
      ["ip4", "::1"],
    ] as const
  ) {
    it(`${network} refuses ${JSON.stringify(text)} and quotes it`, async () => {
      const error = await assertRejects(() => resolveAddress(network, text), TypeError);
      assert(
        [text, JSON.stringify(text), "::1", "127.0.0.1", '"a b"', '"a\\u0000b"'].some((quoted) =>
          error.message.includes(quoted)
        ),
        error.message,
      );
    });
  }

  it("refuses a port that is out of range", async () => {
    await assertRejects(() => resolveAddress("tcp", "127.0.0.1:65536"), RangeError, "65536");
  });

  it("rejects for an unknown host with NotFound and the resolver's code", async () => {
    const error = await assertRejects(
      () => resolveAddress("tcp", `${UNKNOWN_HOST}:80`),
      Deno.errors.NotFound,
      UNKNOWN_HOST,
    );
    assert(isSocketError(error));
    assert(/^EAI_(NONAME|AGAIN|NODATA|FAIL)$/.test(error.code), error.code);
    assertEquals([error.syscall, error.address, error.timeout], ["getaddrinfo", UNKNOWN_HOST, false]);
  });

  it("rejects with the reason of a signal that is aborted already", async () => {
    const reason = new Error("enough");
    const options = { signal: AbortSignal.abort(reason) };
    for (const text of ["127.0.0.1:80", "localhost:80"]) {
      assertStrictEquals(await assertRejects(() => resolveAddress("tcp", text, options)), reason);
    }
  });
});

describe("resolveAddress() of a Unix network", () => {
  const rows: readonly (readonly [UnixNetwork, string, string, string])[] = [
    ["unix", "/run/socket", "unix", "/run/socket"],
    ["unix", "relative", "unix", "relative"],
    ["unixgram", "/run/socket", "unixpacket", "/run/socket"],
    ["seqpacket", "/run/socket", "seqpacket", "/run/socket"],
    ["unix", "@name", "unix", "\0name"],
    ["unix", "\0name", "unix", "\0name"],
  ];
  for (const [network, text, transport, path] of rows) {
    it(`${network} reads ${JSON.stringify(text)}`, async () => {
      assertEquals(await resolveAddress(network, text) as unknown, { transport, path });
    });
  }

  it("refuses what is no path, and what is no network", async () => {
    await assertRejects(() => resolveAddress("unix", ""), TypeError, '""');
    for (const network of ["tcp5", "unixpacket", "", "toString", undefined]) {
      await assertRejects(() => resolveAddress(network as "unix", "x"), TypeError, "Unknown network");
    }
  });
});

describe("A lookup that is aborted", TIMEOUT, () => {
  // In a process of its own: the thread that asks cannot be called back.
  it("rejects with the signal's reason, leaves nothing behind, and lets the process end", async () => {
    const program = `
      import { resolveAddress } from ${JSON.stringify(new URL("../../mod.ts", import.meta.url).href)};
      const controller = new AbortController();
      const looking = resolveAddress("tcp", "localhost:80", { signal: controller.signal });
      controller.abort("enough");
      console.log(await looking.catch((reason) => reason));`;
    await using child = startDeno("-", { stdin: true });
    await child.write(program);
    await child.closeInput();
    const { success, stdout, report } = await child.finished();
    assert(success, report);
    assertEquals(stdout, "enough");
    assertFalse(report.includes("rror"), report);
  });
});
