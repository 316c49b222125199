import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { bytes } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { isPending } from "../support/promises.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { Remote } from "./remote.ts";
import { connectAs, Directory, listenAs, NOBODY, notLinux, notRoot, notShared, PAIRS, TRANSPORTS } from "./support.ts";

noDescriptorLeaks();

/** This process. */
const OWN = { pid: Deno.pid, uid: Deno.uid()!, gid: Deno.gid()! };

for (const transport of TRANSPORTS) {
  describe(`peerCredentials() of ${transport}`, TIMEOUT, () => {
    it("is this process where both ends are its own", async () => {
      using directory = new Directory();
      for (const conn of PAIRS[transport]()) {
        assertEquals(conn.peerCredentials(), OWN);
        conn.close();
        assertThrows(() => conn.peerCredentials(), Deno.errors.BadResource);
      }
      using listener = listenAs(transport, directory.file());
      using conn = await connectAs(transport, directory.file());
      using accepted = await listener.accept();
      assertEquals([conn.peerCredentials(), accepted.peerCredentials()], [OWN, OWN]);
    });

    it("is the other process, also once it has gone", async () => {
      using directory = new Directory();
      using listener = listenAs(transport, directory.file());
      await using peer = await Remote.start();
      await peer.call("connect", transport, directory.file());
      using conn = await listener.accept();
      assertEquals(conn.peerCredentials(), { ...OWN, pid: peer.pid });
      await peer.kill();
      assertEquals(conn.peerCredentials(), { ...OWN, pid: peer.pid });
    });

    itUnless(notShared, "is the other user, to whoever connects and to whoever listens", async () => {
      using directory = new Directory();
      Deno.chmodSync(directory.path, 0o777);
      await using peer = await Remote.start(NOBODY);
      const expected = { pid: peer.pid, uid: NOBODY, gid: NOBODY };

      using listener = listenAs(transport, directory.file("ours"));
      await peer.call("connect", transport, directory.file("ours"));
      using accepted = await listener.accept();
      assertEquals(accepted.peerCredentials(), expected);

      await peer.call("listen", { transport, path: directory.file("theirs") });
      using conn = await connectAs(transport, directory.file("theirs"));
      assertEquals(conn.peerCredentials(), expected);
    });

    itUnless(notRoot, "is who it was when it connected, and not who it has become", async () => {
      using directory = new Directory();
      using listener = listenAs(transport, directory.file());
      await using peer = await Remote.start();
      await peer.call("connect", transport, directory.file());
      using conn = await listener.accept();
      await peer.call("become", NOBODY);
      assertEquals(conn.peerCredentials(), { ...OWN, pid: peer.pid });
    });
  });

  describe(`receiveMessage({ credentials: true }) of ${transport}`, TIMEOUT, () => {
    itUnless(notLinux, "tells who sent each message, once it was asked for", async () => {
      const [one, two] = PAIRS[transport]();
      using _one = one;
      using _two = two;
      const asking = two.receiveMessage({ credentials: true });
      assert(await isPending(asking));
      await one.sendMessage({ data: bytes("x") });
      assertEquals((await asking)?.credentials, OWN);
      await one.sendMessage({ data: bytes("x") });
      assertEquals((await two.receiveMessage({ credentials: true }))?.credentials, OWN);
    });

    itUnless(notLinux, "comes with data and descriptors, all of them", async () => {
      const [one, two] = PAIRS[transport]();
      using _one = one;
      using _two = two;
      const asking = two.receiveMessage({ credentials: true, maxFds: 253 });
      await one.sendMessage({ data: bytes("full"), fds: Array(253).fill(one) });
      const message = await asking;
      for (const fd of message!.fds) fd.close();
      assertEquals([message!.fds.length, message!.truncated, message!.credentials], [253, false, OWN]);
    });

    it("leaves them out unless asked", async () => {
      const [one, two] = PAIRS[transport]();
      using _one = one;
      using _two = two;
      for (const options of [{}, { credentials: false }]) {
        await one.sendMessage({ data: bytes("x") });
        assertEquals(await two.receiveMessage(options), { data: bytes("x"), fds: [], truncated: false });
      }
    });

    itUnless(notLinux, "leaves plain reads as they are", async () => {
      const [one, two] = PAIRS[transport]();
      using _one = one;
      using _two = two;
      const asking = two.receiveMessage({ credentials: true });
      await one.sendMessage({ data: bytes("x") });
      await asking;
      for (let round = 0; round < 3; round++) {
        await one.sendMessage({ data: bytes("abc") });
        assertEquals("read" in two ? await two.read(new Uint8Array(8)) : (await two.receive())?.length, 3);
        await two.sendMessage({ data: bytes("de") });
        assertEquals("read" in one ? await one.read(new Uint8Array(8)) : (await one.receive())?.length, 2);
      }
      one.close();
      assertEquals(await two.receiveMessage({ credentials: true }), null);
    });

    itUnless(notRoot ?? notLinux, "tells who sent it even where that is not who connected", async () => {
      using directory = new Directory();
      using listener = listenAs(transport, directory.file());
      await using peer = await Remote.start();
      await peer.call("connect", transport, directory.file());
      using conn = await listener.accept();
      const first = conn.receiveMessage({ credentials: true });
      await peer.call("send", "as root");
      assertEquals((await first)?.credentials, { ...OWN, pid: peer.pid });
      await peer.call("become", NOBODY);
      await peer.call("send", "as nobody");
      const second = await conn.receiveMessage({ credentials: true });
      assertEquals(second?.credentials, { pid: peer.pid, uid: NOBODY, gid: NOBODY });
      assertEquals(conn.peerCredentials(), { ...OWN, pid: peer.pid });
    });
  });
}

describe("A message that was sent before anybody asked", TIMEOUT, () => {
  itUnless(notLinux, "has no credentials on a stream, and has them on seqpacket", async () => {
    for (const transport of TRANSPORTS) {
      const [one, two] = PAIRS[transport]();
      using _one = one;
      using _two = two;
      await one.sendMessage({ data: bytes("x") });
      const message = await two.receiveMessage({ credentials: true });
      assertEquals(message?.credentials, transport === "seqpacket" ? OWN : undefined);
    }
  });
});
