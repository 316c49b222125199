import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { listenDatagram } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { freeUdpPort } from "../support/loopback.ts";
import type { Child } from "../support/process.ts";
import { startExample } from "./support.ts";

noDescriptorLeaks();

const GROUP = "239.255.255.250";
const UUID = "urn:uuid:[0-9a-f-]{36}";

async function listen(port: number, ...args: string[]): Promise<Child> {
  const child = await startExample("ws_discovery", { args: ["--listen", "--port", String(port), ...args] });
  await child.waitForLine(new RegExp(`^Listening to 239\\.255\\.255\\.250:${port} on 127\\.0\\.0\\.1; Ctrl-C stops$`));
  return child;
}

/** Sends text to the group on loopback. */
async function say(port: number, text: string): Promise<void> {
  using socket = listenDatagram({ transport: "udp", hostname: "127.0.0.1", loopback: true });
  socket.setMulticastInterface("127.0.0.1");
  await socket.send(new TextEncoder().encode(text), { transport: "udp", hostname: GROUP, port });
}

describe("examples/ws_discovery.ts", () => {
  it("finds a device on loopback", async () => {
    const port = freeUdpPort();
    await using device = await listen(port, "--answer");
    const prober = await startExample("ws_discovery", {
      args: ["--port", String(port), "--count", "1", "--timeout", "60"],
    });
    const { success, stdout, report } = await prober.finished();
    assert(success, report);
    assertMatch(stdout, new RegExp(`^127\\.0\\.0\\.1:\\d+ ProbeMatches ${UUID} wsdp:Device$`, "m"));
    assertMatch(stdout, /^1 answered$/m);
    await device.waitForLine(/^127\.0\.0\.1:\d+ Probe wsdp:Device$/);
  });

  it("finds only devices of the requested type", async () => {
    const port = freeUdpPort();
    await using device = await listen(port, "--answer");
    const prober = await startExample("ws_discovery", {
      args: ["--port", String(port), "--types", "dn:NetworkVideoTransmitter", "--timeout", "0.2"],
    });
    const { success, stdout, report } = await prober.finished();
    assert(success, report);
    assertMatch(stdout, /^0 answered$/m);
    await device.waitForLine(/^127\.0\.0\.1:\d+ Probe dn:NetworkVideoTransmitter$/);
  });

  it("reads messages with any prefixes", async () => {
    const port = freeUdpPort();
    await using listener = await listen(port);
    await say(
      port,
      `<Envelope xmlns="http://www.w3.org/2003/05/soap-envelope"><Header>
        <a:Action mustUnderstand="1">http://schemas.xmlsoap.org/ws/2005/04/discovery/Hello</a:Action>
        <a:MessageID>urn:uuid:1</a:MessageID></Header><Body><d:Hello>
        <a:EndpointReference><a:Address>urn:uuid:2</a:Address></a:EndpointReference>
        <d:Types> x:Printer
          y:Scanner </d:Types><d:XAddrs>http://192.0.2.9/?a=1&amp;b=2</d:XAddrs></d:Hello></Body></Envelope>`,
    );
    const [line] = await listener.waitForLine(/^.* Hello .*$/);
    assertMatch(line, /Hello urn:uuid:2 x:Printer y:Scanner http:\/\/192\.0\.2\.9\/\?a=1&b=2$/);
  });

  it("ignores invalid messages, and prints no control characters", async () => {
    const port = freeUdpPort();
    await using listener = await listen(port, "--answer");
    for (const text of ["", "<", "<".repeat(20_000), "<a".repeat(10_000), `<${"a".repeat(20_000)}`, "&#0;</Types>"]) {
      await say(port, text);
    }
    await say(port, "<Action>x/Bye</Action><MessageID>1</MessageID><Bye><Address>\x1b[31mred</Address></Bye>");
    const [line] = await listener.waitForLine(/^.* Bye .*$/);
    assertEquals(line.replace(/^\S+ /, ""), "Bye [31mred");
  });
});
