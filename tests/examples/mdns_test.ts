import { Buffer } from "node:buffer";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { decode, type DecodedPacket, encode, type Packet } from "../../examples/npm/dns_packet.ts";
import { listenDatagram, type UdpSocket } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { inside } from "../support/inside.ts";
import { missingNamespaces, type Namespace, NamespacePair } from "../support/namespaces.ts";
import type { Child } from "../support/process.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { Avahi } from "./avahi.ts";
import { runExample, startExample } from "./support.ts";

noDescriptorLeaks();

const namespaces = await missingNamespaces();
const reason = namespaces ??
  await missingCommands("avahi-daemon", "avahi-browse", "avahi-publish", "dbus-daemon");
const missingDig = namespaces ?? await missingCommands("dig");

let pair: NamespacePair;
beforeAll(async () => {
  if (namespaces !== null) return;
  // Brings the npm package, which no namespace of a test can.
  const { code, report } = await runExample("mdns", "--help");
  assertEquals(code, 0, report);
  pair = await NamespacePair.create();
});
afterAll(async () => {
  if (namespaces === null) await pair[Symbol.asyncDispose]();
});

/** Announces by the second command of the header, whose name and port are its last arguments. */
async function announce(namespace: Namespace, ...args: string[]): Promise<Child> {
  return await startExample("mdns", { command: 1, namespace, args: ["--interface", "all", ...args] });
}

function browse(namespace: Namespace, ...args: string[]): Promise<Child> {
  return startExample("mdns", { namespace, args: ["--interface", "all", ...args] });
}

/** A member of the group in a namespace, which speaks DNS by hand. */
class Member implements Disposable {
  readonly #socket: UdpSocket;

  constructor(namespace: Namespace) {
    this.#socket = inside(namespace.name, () => {
      const options = { hostname: "0.0.0.0", port: 5353, reuseAddress: true } as const;
      const socket = listenDatagram({ transport: "udp", ...options });
      socket.joinMulticast("224.0.0.251", { interface: namespace.interface });
      socket.setMulticastInterface(namespace.interface);
      socket.setMulticastTTL(255);
      return socket;
    });
  }

  async send(packet: Packet): Promise<void> {
    await this.#socket.send(encode(packet), { transport: "udp", hostname: "224.0.0.251", port: 5353 });
  }

  /** The next message of which this is true. */
  async find(wanted: (packet: DecodedPacket) => boolean): Promise<DecodedPacket> {
    for (;;) {
      const [data] = await this.#socket.receive();
      const packet = decode(Buffer.from(data));
      if (wanted(packet)) return packet;
    }
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

describe("examples/mdns.ts and Avahi", TIMEOUT, () => {
  itUnless(reason, "find each other's services over IPv4 and IPv6, and miss them when they say goodbye", async () => {
    await using avahi = await Avahi.start(pair.right, "foreign");
    await using browsing = avahi.run("avahi-browse", "--parsable", "--resolve", "_http._tcp");
    await using ours = await announce(pair.left, "--host", "ours", "--txt", "path=/page");
    await ours.waitForLine(/^announced Page\._http\._tcp\.local at ours\.local port 8080$/);
    const versions = new Set<string>();
    while (versions.size < 2) {
      const [, version, address] = await browsing.waitForLine(
        /^=;veth0;(IPv4|IPv6);Page;Web Site;local;ours\.local;([^;]+);8080;"path=\/page"$/,
      );
      assert(["192.0.2.1", "2001:db8::1", "fe80::1"].includes(address!), address);
      versions.add(version!);
    }
    assertEquals((await ours.end("SIGINT")).code, 0);
    await browsing.waitForLine(/^-;veth0;IPv4;Page;Web Site;local$/);

    await using finding = await browse(pair.left);
    const publishing = avahi.run("avahi-publish", "--service", "Their page", "_http._tcp", "9090", "a=b", "c=d e");
    await using _publishing = publishing;
    const [line] = await finding.waitForLine(/^found\tTheir page\t.*$/);
    const [, , host, addresses, ...txt] = line.split("\t");
    assertEquals([host, txt.sort()], ["foreign.local:9090", ["a=b", "c=d e"]]);
    assert(addresses!.split(" ").includes("192.0.2.2"), addresses);
    await publishing.end();
    await finding.waitForLine(/^lost\tTheir page\t/);
  });

  itUnless(reason, "give way to names that are taken", async () => {
    await using avahi = await Avahi.start(pair.right, "taken");
    await using _publishing = avahi.run("avahi-publish", "--service", "Page", "_http._tcp", "9090");
    await _publishing.waitForLine(/^Established under name 'Page'$/, "stderr");
    await using ours = await announce(pair.left, "--host", "taken");
    await ours.waitForLine(/^Page\._http\._tcp\.local is taken$/);
    await ours.waitForLine(/^announced Page \(2\)\._http\._tcp\.local at taken-2\.local port 8080$/);
    await using resolving = avahi.run("avahi-browse", "--parsable", "--resolve", "_http._tcp");
    await resolving.waitForLine(/^=;veth0;IPv4;Page\\032\\0402\\041;Web Site;local;taken-2\.local;/);
  });
});

describe("examples/mdns.ts --announce", TIMEOUT, () => {
  itUnless(namespaces, "leaves out what the asker knows, and adds what it will want next", async () => {
    await using ours = await announce(pair.left, "--host", "known");
    await ours.waitForLine(/^announced/);
    using member = new Member(pair.right);
    const instance = "Page._http._tcp.local";
    const isAnswer = ({ type, additionals }: DecodedPacket) => type === "response" && additionals.length > 0;
    const question = { name: "_http._tcp.local", type: "PTR" };
    // A record goes out once a second: the announcements may have just been.
    const repeat = setInterval(() => member.send({ type: "query", questions: [question] }).catch(() => {}), 700);
    const first = await member.find(isAnswer);
    clearInterval(repeat);
    assertEquals(first.answers.map(({ name, type, data }) => [name, type, data]), [[
      "_http._tcp.local",
      "PTR",
      instance,
    ]]);
    assertEquals(first.additionals.map(({ type }) => type).sort(), ["A", "AAAA", "AAAA", "SRV", "TXT"]);
    const flushed = first.additionals.filter(({ flush }) => flush === true);
    assertEquals([flushed.length, first.answers[0]!.flush], [5, false]);
    const known = { name: "_http._tcp.local", type: "PTR", ttl: 4000, data: instance } as const;
    const both = [question, { name: instance, type: "TXT" }];
    const ask = () => member.send({ type: "query", questions: both, answers: [known] }).catch(() => {});
    const asking = setInterval(ask, 700);
    const second = await member.find(({ type, answers }) => {
      return type === "response" && answers.some((record) => record.type === "TXT");
    });
    clearInterval(asking);
    assertEquals(second.answers.map(({ type }) => type), ["TXT"]);
    const stale = { ...known, ttl: 2000 };
    const renewing = setInterval(() => {
      member.send({ type: "query", questions: [question], answers: [stale] }).catch(() => {});
    }, 700);
    await member.find(({ type, answers }) => type === "response" && answers.some((record) => record.type === "PTR"));
    clearInterval(renewing);
  });

  itUnless(namespaces, "goes out with a time to live of 0 for every record", async () => {
    const ours = await announce(pair.left, "--host", "leaving");
    await using _ours = ours;
    await ours.waitForLine(/^announced/);
    using member = new Member(pair.right);
    const goodbye = member.find(({ type, answers }) => type === "response" && answers.every(({ ttl }) => ttl === 0));
    ours.kill("SIGTERM");
    const { answers } = await goodbye;
    assertEquals(answers.map(({ type }) => type).sort(), ["A", "AAAA", "AAAA", "PTR", "PTR", "SRV", "TXT"]);
    assertEquals((await ours.finished()).code, 0);
  });

  itUnless(missingDig, "answers a plain DNS client", async () => {
    await using ours = await announce(pair.left, "--host", "plain");
    await ours.waitForLine(/^announced/);
    const dig = ["+short", "-p", "5353", "@192.0.2.1"];
    const { stdout } = await pair.right.run("dig", [...dig, "plain.local", "A"]);
    assertEquals(stdout, "192.0.2.1");
    const service = await pair.right.run("dig", [...dig, "Page._http._tcp.local", "SRV"]);
    assertEquals(service.stdout, "0 0 8080 plain.local.");
  });

  itUnless(namespaces, "announces by an interface that comes later", async () => {
    await using ours = await announce(pair.left, "--host", "later");
    await ours.waitForLine(/^announced/);
    const link = ["link", "add", "cable5", "type", "veth", "peer", "name", "cable5", "netns", pair.right.name];
    assert((await pair.left.run("ip", link)).success);
    for (const [namespace, host] of [[pair.left, 1], [pair.right, 2]] as const) {
      for (
        const args of [["address", "add", `198.51.100.${host}/24`, "dev", "cable5"], ["link", "set", "cable5", "up"]]
      ) {
        assert((await namespace.run("ip", args)).success);
      }
    }
    const finding = await startExample("mdns", { namespace: pair.right, args: ["--interface", "cable5"] });
    await using _finding = finding;
    const [line] = await finding.waitForLine(/^found\tPage\tlater\.local:8080\t.*198\.51\.100\.1.*$/);
    assert(!line.includes("192.0.2.1"), line);
    assert((await pair.left.run("ip", ["link", "delete", "cable5"])).success);
  });
});

describe("examples/mdns.ts --browse", TIMEOUT, () => {
  const PTR = { name: "_http._tcp.local", type: "PTR", ttl: 4500, data: "Site._http._tcp.local" } as const;
  const service = (port: number): Packet => ({
    type: "response",
    flags: 1 << 10,
    answers: [
      PTR,
      { name: PTR.data, type: "SRV", ttl: 120, flush: true, data: { port, target: "site.local" } },
      { name: PTR.data, type: "TXT", ttl: 4500, flush: true, data: ["v=1", "\x1b[31mred"] },
      { name: "site.local", type: "A", ttl: 120, flush: true, data: "192.0.2.2" },
    ],
  });

  itUnless(namespaces, "says what it knows, takes what replaces it, and shows no control characters", async () => {
    await using finding = await browse(pair.left);
    using member = new Member(pair.right);
    await member.find(({ type, questions }) => type === "query" && questions[0]?.type === "PTR");
    await member.send(service(1));
    const [line] = await finding.waitForLine(/^found\tSite\tsite\.local:1\t.*$/);
    assertEquals(line.split("\t").slice(3), ["192.0.2.2", "v=1", "[31mred"]);
    const { answers } = await member.find(({ type, answers }) => type === "query" && answers.length > 0);
    assertEquals(answers.map(({ name, type, data }) => [name, type, data]), [[PTR.name, "PTR", PTR.data]]);
    assert(answers[0]!.ttl! > 4400 && answers[0]!.ttl! <= 4500);

    // The question after that comes more than a second after the first answer, which the flush bit of another then ends.
    await member.find(({ type, answers }) => type === "query" && answers.length > 0);
    await member.send(service(2));
    await finding.waitForLine(/^found\tSite\tsite\.local:2\t/);
    await member.send({ type: "response", flags: 1 << 10, answers: [{ ...PTR, ttl: 0 }] });
    await finding.waitForLine(/^lost\tSite\t/);
  });

  itUnless(namespaces, "asks for what did not come by itself, and stops after --count services", async () => {
    const finding = await browse(pair.left, "--count", "1");
    await using _finding = finding;
    using member = new Member(pair.right);
    const has = (name: string, type: string) => (packet: DecodedPacket) => {
      return packet.type === "query" && packet.questions.some((asked) => asked.name === name && asked.type === type);
    };
    await member.find(has(PTR.name, "PTR"));
    const [ptr, srv, txt, address] = service(7).answers!;
    const tell = (...answers: Packet["answers"] & object) => member.send({ type: "response", flags: 1 << 10, answers });
    await tell(ptr!);
    await member.find(has(PTR.data, "SRV"));
    await tell(srv!, txt!);
    await member.find(has("site.local", "A"));
    await tell(address!);
    const { stdout, code } = await finding.finished();
    assertMatch(stdout, /^found\tSite\tsite\.local:7\t192\.0\.2\.2\t/);
    assertEquals(code, 0);
  });
});

describe("examples/mdns.ts", () => {
  const WRONG: readonly (readonly [string[], RegExp])[] = [
    [["--browse", "http"], /^mdns: --browse http: expected a type such as _http\._tcp$/],
    [["--announce", "A.b"], /^mdns: pass --browse TYPE or --announce NAME PORT; see --help$/],
    [["stray"], /^mdns: unexpected argument stray; see --help$/],
    [["--interface", "nosuch0"], /^mdns: .*no such device \(ENODEV\).*$/],
    [["--bogus"], /^mdns: unknown option --bogus; see --help$/],
  ];
  for (const [args, line] of WRONG) {
    it(`prints one line for ${args.join(" ")}`, async () => {
      const { code, stderr } = await runExample("mdns", ...args);
      assertEquals(code, 1);
      assertMatch(stderr, line);
    });
  }
});
