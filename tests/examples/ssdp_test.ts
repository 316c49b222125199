import { assertEquals, assertMatch } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { parse } from "../../examples/ssdp/message.ts";
import { bytes } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { missingNamespaces, type Namespace, NamespacePair } from "../support/namespaces.ts";
import type { Child } from "../support/process.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { MiniSsdpd } from "./minissdpd.ts";
import { runExample, startExample } from "./support.ts";

noDescriptorLeaks();

const namespaces = await missingNamespaces();
const reason = namespaces ?? await missingCommands("minissdpd");
const withoutUpnpc = namespaces ?? await missingCommands("upnpc");

const UUID = "11111111-2222-3333-4444-555555555555";
const TYPE = "urn:schemas-upnp-org:device:Basic:1";

let pair: NamespacePair;
beforeAll(async () => {
  if (namespaces === null) pair = await NamespacePair.create();
});
afterAll(async () => {
  if (namespaces === null) await pair[Symbol.asyncDispose]();
});

/** Runs the command of a number in a namespace, on all its interfaces. */
function ssdp(namespace: Namespace, command: number, ...args: string[]): Promise<Child> {
  return startExample("ssdp", { namespace, command, args: ["--interface", "all", ...args] });
}

async function announced(...args: string[]): Promise<Child> {
  const child = await ssdp(pair.left, 1, "--uuid", UUID, ...args);
  await child.waitForLine(/^announced uuid:/);
  return child;
}

describe("examples/ssdp.ts", TIMEOUT, () => {
  itUnless(reason, "is remembered by MiniSSDPd when it announces, and forgotten when it says goodbye", async () => {
    await using daemon = await MiniSsdpd.start(pair.right);
    const device = await announced();
    await using _device = device;
    let known = await daemon.known();
    while (known.length < 3) known = await daemon.known();
    const usn = `uuid:${UUID}`;
    assertEquals(
      new Set(known.map((one) => `${one.type} ${one.usn}`)),
      new Set([
        `upnp:rootdevice ${usn}::upnp:rootdevice`,
        `${usn} ${usn}`,
        `${TYPE} ${usn}::${TYPE}`,
      ]),
    );
    assertEquals(known[0]!.location, "http://127.0.0.1/d.xml");
    await device.end("SIGINT");
    while (known.length > 0) known = await daemon.known();
  });

  itUnless(reason, "finds what MiniSSDPd answers for", async () => {
    await using daemon = await MiniSsdpd.start(pair.right);
    const usn = `uuid:${UUID}::${TYPE}`;
    await daemon.submit(TYPE, usn, "Foreign/1.0", "http://192.0.2.2:1234/d.xml");
    const finding = await ssdp(pair.left, 0, "--mx", "1");
    const { stdout, code } = await finding.finished();
    assertEquals(code, 0);
    const [event, type, name, location, from] = stdout.split("\n")[0]!.split("\t");
    assertEquals([event, type, name, location], ["found", TYPE, usn, "http://192.0.2.2:1234/d.xml"]);
    assertMatch(from!, /^192\.0\.2\.2$|^fe80::2|^2001:db8::2$/);
  });

  itUnless(withoutUpnpc, "is found by upnpc", async () => {
    await using _device = await announced("--type", "urn:schemas-upnp-org:device:InternetGatewayDevice:1");
    const { stdout } = await pair.right.run("upnpc", ["-m", pair.right.interface, "-s"]);
    assertMatch(stdout, /^ desc: http:\/\/127\.0\.0\.1\/d\.xml$/m);
  });

  itUnless(namespaces, "finds another of its kind and receives its announcements, over both families", async () => {
    const listening = await ssdp(pair.right, 2);
    await using _listening = listening;
    await listening.waitForLine(/^listening/);
    const device = await announced();
    await using _device = device;
    const senders = new Set<string>();
    while (senders.size < 2) {
      const [line] = await listening.waitForLine(/^alive\tupnp:rootdevice\t.*$/);
      senders.add(line.includes("192.0.2.1") ? "inet" : "inet6");
    }
    const finding = await startExample("ssdp", { namespace: pair.right, args: ["--interface", "all", "--mx", "1"] });
    const { stdout } = await finding.finished();
    assertEquals(
      stdout.split("\n").map((line) => line.split("\t")[1]).sort(),
      [
        "upnp:rootdevice",
        TYPE,
        `uuid:${UUID}`,
      ].sort(),
    );
    await device.end("SIGTERM");
    await listening.waitForLine(/^byebye\tupnp:rootdevice\t/);
    assertEquals((await listening.end("SIGINT")).code, 0);
  });

  const WRONG: readonly (readonly [string[], RegExp])[] = [
    [["--listen"], /^ssdp: pass --search, --answer or --listen; see --help$/],
    [["--mx", "9"], /^ssdp: --mx 9: expected a whole number from 1 to 5$/],
    [["--interface", "nosuch0"], /^ssdp: --interface nosuch0: none of that name is up$/],
  ];
  for (const [args, line] of WRONG) {
    it(`says in one line what is wrong with ${args.join(" ")}`, async () => {
      const { code, stderr } = await runExample("ssdp", ...args);
      assertEquals(code, 1);
      assertMatch(stderr, line);
    });
  }
});

describe("parse() of examples/ssdp", () => {
  it("reads headers without regard to case, and nothing that is no message", () => {
    const message = parse(bytes("NOTIFY * HTTP/1.1\r\nnts:ssdp:alive\r\nLocation:  http://a/ \r\nbad line\r\n\r\n"));
    assertEquals([message?.kind, message?.headers.get("nts"), message?.headers.get("location")], [
      "notify",
      "ssdp:alive",
      "http://a/",
    ]);
    for (const text of ["", "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 404 Not Found\r\n\r\n", "\x00\xff"]) {
      assertEquals(parse(bytes(text)), null);
    }
    assertEquals(parse(bytes("HTTP/1.1 200 OK\r\nST: \x1b[31mred\r\n\r\n"))?.headers.get("st"), "[31mred");
  });
});
