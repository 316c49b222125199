import { assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { listenDatagram, type UdpSocket } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { freeUdpPort, LOOPBACK } from "../support/loopback.ts";
import { type Child, start } from "../support/process.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import { multicastSender, receiveTextFrom, sendText } from "./support.ts";

noDescriptorLeaks();

const GROUP = "239.255.42.1";
const noSocat = await missingCommands("socat");

/** Starts socat; with -d twice it says when its sockets are open. */
async function socat(from: string, to: string, ...flags: string[]): Promise<Child> {
  const child = start("socat", ["-d", "-d", ...flags, from, to], { stdin: true });
  await child.waitForLine(/starting data transfer loop/, "stderr");
  return child;
}

describe("socat", () => {
  itUnless(noSocat, "and a socket here answer each other", async () => {
    using here = listenDatagram({ transport: "udp", hostname: LOOPBACK });
    await using there = await socat("-", `UDP4:${LOOPBACK}:${here.addr.port},bind=${LOOPBACK}`);
    for (const text of ["one", "two", "three"]) {
      await there.write(`${text}\n`);
      const [received, from] = await receiveTextFrom(here);
      assertEquals([received, from.hostname], [`${text}\n`, LOOPBACK]);
      await sendText(here, `answer to ${text}\n`, from);
      await there.waitForLine(new RegExp(`^answer to ${text}$`));
    }
  });

  itUnless(noSocat, "and a connected socket here answer each other over IPv6", async () => {
    using here = listenDatagram({ transport: "udp", hostname: "::1" });
    await using there = await socat("-", `UDP6:[::1]:${here.addr.port},bind=[::1]`);
    await there.write("hello\n");
    const [received, from] = await receiveTextFrom(here);
    assertEquals([received, from.hostname], ["hello\n", "::1"]);
    here.connect(from);
    await here.send(new TextEncoder().encode("answer\n"));
    await there.waitForLine(/^answer$/);
  });

  itUnless(noSocat, "receives every datagram", async () => {
    const port = freeUdpPort();
    await using there = await socat(`UDP4-RECV:${port},bind=${LOOPBACK}`, "-", "-u");
    using here = listenDatagram({ transport: "udp", hostname: LOOPBACK });
    for (let i = 0; i < 100; i++) await sendText(here, `${i}\n`, { transport: "udp", hostname: LOOPBACK, port });
    for (let i = 0; i < 100; i++) assertEquals(await there.stdout.next(), String(i));
  });

  itUnless(noSocat, "reaches every member of a group", async () => {
    const members: UdpSocket[] = [];
    using open = new DisposableStack();
    const port = freeUdpPort();
    for (let i = 0; i < 2; i++) {
      const member = open.use(listenDatagram({ transport: "udp", hostname: GROUP, port }));
      member.joinMulticast(GROUP, { interface: LOOPBACK });
      members.push(member);
    }
    await using there = await socat("-", `UDP4-DATAGRAM:${GROUP}:${port},bind=${LOOPBACK},ip-multicast-if=${LOOPBACK}`);
    await there.write("to all\n");
    for (const member of members) {
      const [received, from] = await receiveTextFrom(member);
      assertEquals([received, from.hostname], ["to all\n", LOOPBACK]);
    }
  });

  itUnless(noSocat, "receives multicast on a port that it shares with a socket here", async () => {
    using here = listenDatagram({ transport: "udp", hostname: GROUP, port: 0 });
    here.joinMulticast(GROUP, { interface: LOOPBACK });
    const { port } = here.addr;
    const address = `UDP4-RECV:${port},bind=${GROUP},reuseaddr,ip-add-membership=${GROUP}:${LOOPBACK}`;
    await using there = await socat(address, "-", "-u");
    using sender = multicastSender();
    await sendText(sender, "to both\n", { transport: "udp", hostname: GROUP, port });
    await there.waitForLine(/^to both$/);
    assertEquals(await receiveTextFrom(here), ["to both\n", sender.addr]);
  });
});
