import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { listen, listenDatagram } from "../../mod.ts";
import { LOOPBACK } from "../support/loopback.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { runExample } from "./support.ts";

describe("An example whose port is in use", TIMEOUT, () => {
  it("names its own option, and none of the module's", async () => {
    using tcp = listen({ hostname: LOOPBACK, port: 0 });
    using udp = listenDatagram({ transport: "udp", hostname: LOOPBACK });
    const cases = [
      ["tcp_echo_server", tcp.addr.port],
      ["statsd_sink", udp.addr.port],
      ["reuse_port", udp.addr.port],
    ] as const;
    for (const [name, port] of cases) {
      const { code, stderr, report } = await runExample(name, "--port", String(port));
      assertEquals(code, 1, report);
      const words = `bind 127.0.0.1:${port}: address already in use (EADDRINUSE)`;
      assertEquals(stderr.trim(), `${name}: ${words}; choose another port with --port`);
    }
  });
});
