import { assert, assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { listenDatagram, type UdpSocket } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { freeUdpPort, LOOPBACK } from "../support/loopback.ts";
import { type Child, run, start } from "../support/process.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import { TIMEOUT_MS } from "../support/timeout.ts";
import { multicastSender, receiveTextFrom, sendText } from "./support.ts";

noDescriptorLeaks();

const GROUP = "239.255.42.2";
const noPython = await missingCommands("python3");

function python(script: string, ...args: (string | number)[]): Child {
  return start("python3", ["-u", "-c", script, ...args.map(String)]);
}

/** Answers each datagram in capitals. */
const ECHO = `
import socket, sys
udp = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
udp.settimeout(60)
udp.bind((sys.argv[1], 0))
print("port", udp.getsockname()[1])
while True:
    data, sender = udp.recvfrom(65536)
    udp.sendto(data.upper(), sender)
`;

/** Joins a group on a shared port, prints one datagram, and answers to the group. */
const MEMBER = `
import socket, sys
group, port, interface = sys.argv[1], int(sys.argv[2]), sys.argv[3]
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
udp.settimeout(60)
udp.bind((group, port))
udp.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + socket.inet_aton(interface))
udp.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
print("joined")
data, sender = udp.recvfrom(65536)
print("received", data.decode(), "from", sender[0], sender[1])
udp.sendto(b"thank you", (group, port))
`;

/** Binds a port, with SO_REUSEPORT on request, and prints received datagrams. */
const SHARER = `
import socket, sys
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
if sys.argv[3] == "share":
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
udp.settimeout(60)
udp.bind((sys.argv[1], int(sys.argv[2])))
print("bound")
while True:
    print("received", udp.recvfrom(65536)[0].decode())
`;

describe("Python's socket module", () => {
  for (const hostname of [LOOPBACK, "::1"]) {
    itUnless(noPython, `answers datagrams from here on ${hostname}, of every length`, async () => {
      await using there = python(ECHO, hostname);
      const [, port] = await there.waitForLine(/^port (\d+)$/);
      using here = listenDatagram({ transport: "udp", hostname });
      for (const length of [0, 1, 1472, 9000, 65_507]) {
        const to: Deno.NetAddr = { transport: "udp", hostname, port: Number(port) };
        await sendText(here, "x".repeat(length), to);
        const [answer, from] = await receiveTextFrom(here);
        assertEquals([answer.length, answer === "X".repeat(length)], [length, true]);
        assertEquals(from, to);
      }
    });
  }

  itUnless(noPython, "receives multicast from here, and sends to members here", async () => {
    using here = listenDatagram({ transport: "udp", hostname: GROUP, port: 0 });
    here.joinMulticast(GROUP, { interface: LOOPBACK });
    await using there = python(MEMBER, GROUP, here.addr.port, LOOPBACK);
    await there.waitForLine(/^joined$/);
    using sender = multicastSender();
    await sendText(sender, "hello", here.addr);
    await there.waitForLine(new RegExp(`^received hello from 127\\.0\\.0\\.1 ${sender.addr.port}$`));
    assertEquals(await receiveTextFrom(here), ["hello", sender.addr]);
    const [answer, from] = await receiveTextFrom(here);
    assertEquals([answer, from.port], ["thank you", here.addr.port]);
    const { success, report } = await there.finished();
    assert(success, report);
  });

  itUnless(noPython, "shares a port with a socket here, and each receives a part", async () => {
    // Of its own choice, Linux may give a socket that shares the port of another one that does.
    const port = freeUdpPort();
    using here = listenDatagram({ transport: "udp", hostname: LOOPBACK, port, reusePort: true });
    await using there = python(SHARER, LOOPBACK, port, "share");
    await there.waitForLine(/^bound$/);

    const messages = Array.from({ length: 64 }, (_, index) => `message ${index}`);
    const receivedHere: string[] = [];
    const receivedThere: string[] = [];
    const complete = Promise.withResolvers<void>();
    const note = (list: string[], text: string) => {
      if (list.push(text) && receivedHere.length + receivedThere.length === messages.length) complete.resolve();
    };
    here.setReadDeadline(new Date(Date.now() + TIMEOUT_MS));
    const collecting = Promise.all([
      (async () => {
        for await (const [data] of here) note(receivedHere, new TextDecoder().decode(data));
      })(),
      (async () => {
        for await (const line of there.stdout) note(receivedThere, line.replace(/^received /, ""));
      })(),
    ]);
    await sendFromManyPorts(messages, { transport: "udp", hostname: LOOPBACK, port });
    await Promise.race([complete.promise, collecting]);
    here.close();
    await there.end();
    await collecting;
    assertEquals([...receivedHere, ...receivedThere].sort(), messages.sort());
    assertGreater(receivedHere.length, 0);
    assertGreater(receivedThere.length, 0);
  });

  itUnless(noPython, "cannot share a port without SO_REUSEPORT, and neither can a socket here", async () => {
    using here = listenDatagram({ transport: "udp", hostname: LOOPBACK, reusePort: true });
    const { code, stderr } = await run("python3", ["-c", SHARER, LOOPBACK, String(here.addr.port), "keep"]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "Address already in use");

    await using there = python(ECHO, LOOPBACK);
    const [, port] = await there.waitForLine(/^port (\d+)$/);
    let refusal: unknown;
    try {
      listenDatagram({ transport: "udp", hostname: LOOPBACK, port: Number(port), reusePort: true }).close();
    } catch (error) {
      refusal = error;
    }
    assert(refusal instanceof Deno.errors.AddrInUse, String(refusal));
  });
});

/** Sends each message from a port of its own: by the sender the kernel chooses among sharers. */
async function sendFromManyPorts(messages: readonly string[], to: Deno.NetAddr): Promise<void> {
  using open = new DisposableStack();
  const senders: UdpSocket[] = messages.map(() => open.use(listenDatagram({ transport: "udp", hostname: LOOPBACK })));
  for (const [index, message] of messages.entries()) await sendText(senders[index]!, message, to);
}
