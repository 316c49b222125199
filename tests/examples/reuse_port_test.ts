import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { listenDatagram } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { freeUdpPort } from "../support/loopback.ts";
import { startExample } from "./support.ts";

noDescriptorLeaks();

const encoder = new TextEncoder();

describe("examples/reuse_port.ts", () => {
  it("runs both roles in one process", async () => {
    const child = await startExample("reuse_port");
    const { success, stdout, report } = await child.finished();
    assert(success, report);
    assertStringIncludes(stdout, 'Sent "test message" from 127.0.0.1:12345 to 239.255.255.250:3702');
    assertStringIncludes(stdout, '239.255.255.250:3702 received "test message" from 127.0.0.1:12345');
  });

  it("shares the port between two processes", async () => {
    const text = `test message ${crypto.randomUUID()}`;
    await using listener = await startExample("reuse_port", { args: ["--listen"] });
    await listener.waitForLine(/^Listening on 127\.0\.0\.1:12345 /);
    const sender = await startExample("reuse_port", { args: ["--send", "--text", text] });
    const { success, report } = await sender.finished();
    assert(success, report);
    await listener.waitForLine(
      new RegExp(`^239\\.255\\.255\\.250:3702 received "${text}" from 127\\.0\\.0\\.1:12345$`),
    );
  });

  it("receives on the port, and not only from the group", async () => {
    const port = freeUdpPort();
    await using listener = await startExample("reuse_port", { args: ["--listen", "--port", String(port)] });
    await listener.waitForLine(/^Listening/);
    using socket = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
    await socket.send(encoder.encode("hello"), { transport: "udp", hostname: "127.0.0.1", port });
    await listener.waitForLine(
      new RegExp(`^127\\.0\\.0\\.1:${port} received "hello" from 127\\.0\\.0\\.1:${socket.addr.port}$`),
    );
  });

  it("reports a port in use without SO_REUSEPORT", async () => {
    using holder = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
    const child = await startExample("reuse_port", { args: ["--port", String(holder.addr.port)] });
    const { code, stderr } = await child.finished();
    assertEquals(code, 1);
    assertStringIncludes(stderr, `reuse_port: bind 127.0.0.1:${holder.addr.port}: address already in use (EADDRINUSE)`);
  });

  it("receives for the given time only", async () => {
    const args = ["--listen", "--port", String(freeUdpPort()), "--seconds", "0.1"];
    const child = await startExample("reuse_port", { args });
    const { success, report } = await child.finished();
    assert(success, report);
  });
});
