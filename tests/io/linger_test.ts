import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { connect, listen } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { isPending } from "../support/promises.ts";
import { TIMEOUT } from "../support/timeout.ts";

noDescriptorLeaks();

/** close(2) returns on a thread of its own some time after the peer has read the end, and nothing tells when. */
const OPTIONS = { ...TIMEOUT, sanitizeOps: false };

describe("close() of a connection that lingers", OPTIONS, () => {
  it("leaves the event loop to the peer, which reads all that was still to be sent", async () => {
    using listener = listen({ hostname: "127.0.0.1", port: 0 });
    const [server, client] = await Promise.all([listener.accept(), connect({ port: listener.addr.port })]);
    // Longer than the test may take: were close(2) to wait here, nobody would ever read.
    server.setLinger(3600);
    const chunk = new Uint8Array(1 << 20);
    let writing: Promise<unknown>;
    do writing = server.write(chunk).catch(() => {}); while (!await isPending(writing));
    server.close();
    await writing;
    const buffer = new Uint8Array(1 << 20);
    for (let read; (read = await client.read(buffer)) !== null;) assertEquals(read > 0, true);
    client.close();
  });
});
