import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { interfaces, type NetworkInterface } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { inside } from "../support/inside.ts";
import { missingNamespaces, NamespacePair } from "../support/namespaces.ts";
import { missingMountNamespaces, runWithFiles } from "../support/hosts.ts";
import { run } from "../support/process.ts";
import { ROOT } from "../support/repository.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";

noDescriptorLeaks();

const reason = await missingNamespaces();

/** What `ip -json address` says of an interface. */
interface IpLink {
  ifname: string;
  ifindex: number;
  flags: string[];
  mtu: number;
  address?: string;
  addr_info: {
    family: "inet" | "inet6";
    local?: string;
    address?: string;
    prefixlen: number;
    broadcast?: string;
  }[];
}

/** An interface in this module's words, as iproute2 describes it. */
function described(link: IpLink): NetworkInterface {
  const { flags } = link;
  const mac = link.address === undefined || /^[0:]*$/.test(link.address) ? undefined : link.address;
  return {
    name: link.ifname,
    index: link.ifindex,
    up: flags.includes("UP"),
    loopback: flags.includes("LOOPBACK"),
    multicast: flags.includes("MULTICAST"),
    pointToPoint: flags.includes("POINTOPOINT"),
    mtu: link.mtu,
    mac,
    addresses: link.addr_info.map(({ family, local, address, prefixlen, broadcast }) => {
      return {
        address: local ?? address!,
        prefixLength: prefixlen,
        family,
        ...(broadcast === undefined ? {} : { broadcast }),
        ...(local === undefined || address === undefined ? {} : { peer: address }),
      };
    }),
  };
}

/** The lists without the order of the addresses of one interface, which is the kernel's. */
function sorted(list: readonly NetworkInterface[]): NetworkInterface[] {
  const key = (value: unknown) => JSON.stringify(value);
  return list.map((one) => ({
    ...one,
    addresses: [...one.addresses].sort((a, b) => key(a) < key(b) ? -1 : 1),
  }));
}

let pair: NamespacePair;
beforeAll(async () => {
  if (reason !== null) return;
  pair = await NamespacePair.create();
});
afterAll(async () => {
  if (reason === null) await pair[Symbol.asyncDispose]();
});

async function ip(...args: string[]): Promise<string> {
  const finished = await pair.left.run("ip", args);
  assert(finished.success, finished.report);
  return finished.stdout;
}

/** What both say of the left namespace. */
async function bothSay(): Promise<void> {
  const theirs = JSON.parse(await ip("-json", "address")) as IpLink[];
  const ours = inside(pair.left.name, interfaces);
  assertEquals(sorted(ours), sorted(theirs.map(described)));
}

describe("interfaces()", TIMEOUT, () => {
  itUnless(reason, "says what iproute2 says of Ethernet and loopback, over both families", bothSay);

  itUnless(
    reason,
    "says what iproute2 says of a tun, a link that is down, many addresses, a peer and an MTU",
    async () => {
      await ip("tuntap", "add", "dev", "tun7", "mode", "tun");
      await ip("address", "add", "192.0.2.77", "peer", "192.0.2.78", "dev", "tun7");
      await ip("tuntap", "add", "dev", "down0", "mode", "tap");
      await ip("tuntap", "add", "dev", "small0", "mode", "tap");
      await ip("link", "set", "small0", "up", "mtu", "1280", "multicast", "off");
      for (let host = 1; host <= 40; host++) await ip("address", "add", `198.51.100.${host}/25`, "dev", "small0");
      await ip("address", "add", "2001:db8:1::1", "peer", "2001:db8:1::2/128", "dev", "small0");
      await bothSay();
      const names = inside(pair.left.name, interfaces).map(({ name, mac }) => `${name} ${mac === undefined}`);
      assertEquals(names, ["lo true", "veth0 false", "tun7 true", "down0 false", "small0 false"]);
    },
  );

  itUnless(reason, "lists an address under its interface, whatever its label", async () => {
    await ip("tuntap", "add", "dev", "label0", "mode", "tap");
    await ip("address", "add", "203.0.113.1/24", "broadcast", "+", "label", "label0:one", "dev", "label0");
    await ip("address", "add", "203.0.113.9/32", "label", "label0two", "dev", "label0");
    await bothSay();
  });

  itUnless(reason, "survives interfaces that come and go while it lists them", async () => {
    const churn = pair.right.start("sh", [
      "-c",
      "for i in $(seq 40); do ip tuntap add dev churn0 mode tap && ip address add 198.51.100.9/24 dev churn0 && " +
      "ip link delete churn0; done; echo done",
    ]);
    await using _ended = churn;
    let ended = false;
    const finished = churn.waitForLine(/^done$/).finally(() => ended = true);
    let listings = 0;
    while (!ended) {
      const found = inside(pair.right.name, interfaces);
      for (const one of found) assert(one.mtu > 0 && one.index > 0 && /^(lo|veth0|churn0)$/.test(one.name));
      listings++;
      await new Promise((resolve) => setTimeout(resolve));
    }
    await finished;
    assert(listings > 10, `${listings} listings`);
  });

  it("needs --allow-sys=networkInterfaces, in Deno's words", async () => {
    const program = `
      import { interfaces, watchInterfaces } from ${JSON.stringify(new URL("mod.ts", ROOT).href)};
      for (const call of [() => Deno.networkInterfaces(), interfaces, watchInterfaces]) {
        try { call(); console.log("granted"); } catch (error) { console.log(error.name, error.message); }
      }`;
    const outcomes = async (...flags: string[]) => {
      const path = await Deno.makeTempFile({ suffix: ".ts" });
      try {
        await Deno.writeTextFile(path, program);
        const { stdout, report } = await run(Deno.execPath(), ["run", "--no-prompt", "--allow-ffi", ...flags, path]);
        assert(stdout !== "", report);
        return stdout.trim().split("\n");
      } finally {
        await Deno.remove(path);
      }
    };
    const refusal = 'NotCapable Requires sys access to "networkInterfaces", run again with the --allow-sys flag';
    assertEquals(await outcomes(), [refusal, refusal, refusal]);
    assertEquals(await outcomes("--allow-sys=hostname"), [refusal, refusal, refusal]);
    assertEquals(await outcomes("--allow-sys=networkInterfaces"), ["granted", "granted", "granted"]);
    assertEquals(await outcomes("--allow-sys"), ["granted", "granted", "granted"]);
  });

  it("gives copies: what a caller does to one is not seen by another", () => {
    const [first] = interfaces();
    first!.addresses.length = 0;
    first!.name = "changed";
    assertEquals(interfaces()[0]!.name === "changed", false);
  });
});

const noMountNamespaces = await missingMountNamespaces();

describe("interfaces() of a process that may open no more descriptors", TIMEOUT, () => {
  itUnless(noMountNamespaces, "throws what the system says, and lists them again later", async () => {
    const program = new URL("./programs/exhausted.ts", import.meta.url).pathname;
    const { success, stdout, report } = await runWithFiles({}, program, [], "-n 100");
    assert(success, report);
    assertEquals(stdout, "EMFILE of getifaddrs\nlo");
  });
});
