import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { thisSystem } from "../../ffi/libc/host.ts";
import { bytes } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { isPending } from "../support/promises.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { Remote } from "./remote.ts";
import { connectAs, Directory, listenAs, NOBODY, notLinux, notRoot, notShared, PAIRS, TRANSPORTS } from "./support.ts";

noDescriptorLeaks();

/** This process. */
const OWN = { pid: pidOf(Deno.pid), uid: Deno.uid()!, gid: Deno.gid()! };

/** The process number that is reported of a peer; FreeBSD reports none, and macOS none once the peer has closed. */
function pidOf(pid: number, gone = false): number | null {
  const { layout, constants } = thisSystem();
  return layout.ucred !== null || (constants.LOCAL_PEERPID !== 0 && !gone) ? pid : null;
}

for (const transport of TRANSPORTS) {
  describe(`peerCredentials() of ${transport}`, TIMEOUT, () => {
    it("is this process if both ends are its own", async () => {
      using directory = new Directory();
      for (const [index, conn] of PAIRS[transport]().entries()) {
        assertEquals(conn.peerCredentials(), { ...OWN, pid: pidOf(Deno.pid, index === 1) });
        conn.close();
        assertThrows(() => conn.peerCredentials(), Deno.errors.BadResource);
      }
      using listener = listenAs(transport, directory.file());
      using conn = await connectAs(transport, directory.file());
      using accepted = await listener.accept();
      assertEquals([conn.peerCredentials(), accepted.peerCredentials()], [OWN, OWN]);
    });

    it("is the other process, also after it has exited", async () => {
      using directory = new Directory();
      using listener = listenAs(transport, directory.file());
      await using peer = await Remote.start();
      await peer.call("connect", transport, directory.file());
      using conn = await listener.accept();
      assertEquals(conn.peerCredentials(), { ...OWN, pid: pidOf(peer.pid) });
      await peer.kill();
      assertEquals(conn.peerCredentials(), { ...OWN, pid: pidOf(peer.pid, true) });
    });

    itUnless(notShared, "is the other user, on both sides", async () => {
      using directory = new Directory();
      Deno.chmodSync(directory.path, 0o777);
      await using peer = await Remote.start(NOBODY);
      const expected = { pid: pidOf(peer.pid), uid: NOBODY, gid: NOBODY };

      using listener = listenAs(transport, directory.file("ours"));
      await peer.call("connect", transport, directory.file("ours"));
      using accepted = await listener.accept();
      assertEquals(accepted.peerCredentials(), expected);

      await peer.call("listen", { transport, path: directory.file("theirs") });
      using conn = await connectAs(transport, directory.file("theirs"));
      assertEquals(conn.peerCredentials(), expected);
    });

    itUnless(notRoot, "has the user at the time of the connection, not a later one", async () => {
      using directory = new Directory();
      using listener = listenAs(transport, directory.file());
      await using peer = await Remote.start();
      await peer.call("connect", transport, directory.file());
      using conn = await listener.accept();
      await peer.call("become", NOBODY);
      assertEquals(conn.peerCredentials(), { ...OWN, pid: pidOf(peer.pid) });
    });
  });

  describe(`receiveMessage({ credentials: true }) of ${transport}`, TIMEOUT, () => {
    itUnless(notLinux, "returns the sender of each message once it is enabled", async () => {
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

    itUnless(notLinux, "returns them with data and descriptors", async () => {
      const [one, two] = PAIRS[transport]();
      using _one = one;
      using _two = two;
      const asking = two.receiveMessage({ credentials: true, maxFds: 253 });
      await one.sendMessage({ data: bytes("full"), fds: Array(253).fill(one) });
      const message = await asking;
      for (const fd of message!.fds) fd.close();
      assertEquals([message!.fds.length, message!.truncated, message!.credentials], [253, false, OWN]);
    });

    it("leaves them out by default", async () => {
      const [one, two] = PAIRS[transport]();
      using _one = one;
      using _two = two;
      for (const options of [{}, { credentials: false }]) {
        await one.sendMessage({ data: bytes("x") });
        assertEquals(await two.receiveMessage(options), { data: bytes("x"), fds: [], truncated: false });
      }
    });

    itUnless(notLinux, "does not affect plain reads", async () => {
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

    itUnless(notRoot ?? notLinux, "returns the sender even if another process connected", async () => {
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
      assertEquals(conn.peerCredentials(), { ...OWN, pid: pidOf(peer.pid) });
    });
  });
}

describe("A message sent before credentials were enabled", TIMEOUT, () => {
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

/** The groups of this process. */
function ownGroups(): number[] {
  const status = Deno.readTextFileSync("/proc/self/status");
  return /^Groups:\t(.*)$/m.exec(status)![1]!.trim().split(/\s+/).filter(Boolean).map(Number);
}

describe("peerCredentials() that asks for more", TIMEOUT, () => {
  for (const transport of TRANSPORTS) {
    itUnless(notLinux, `tells the groups, and gives the process itself, on ${transport}`, async () => {
      const [one, two] = PAIRS[transport]();
      using _two = two;
      assertEquals(one.peerCredentials({ groups: true }), { ...OWN, groups: ownGroups() });
      const { pidfd, ...rest } = one.peerCredentials({ pidfd: true });
      assertEquals(rest, OWN);
      assertEquals(pidfd!.kind, "other");
      const info = await Deno.readTextFile(`/proc/self/fdinfo/${pidfd!.fd}`);
      assertEquals(/^Pid:\t(\d+)$/m.exec(info)?.[1], String(Deno.pid));
      assertEquals(/^flags:\t0?2\d+$/m.test(info), true, "close-on-exec");
      pidfd!.close();
      assertEquals("groups" in one.peerCredentials({ groups: false }), false);
      one.close();
    });
  }

  itUnless(notLinux ?? notRoot ?? notShared, "tells the groups of another", async () => {
    using directory = new Directory();
    Deno.chmodSync(directory.path, 0o777);
    using listener = listenAs("unix", directory.file());
    Deno.chmodSync(directory.file(), 0o777);
    await using peer = await Remote.start();
    await peer.call("connect", "unix", directory.file());
    using conn = await listener.accept();
    const status = Deno.readTextFileSync(`/proc/${peer.pid}/status`);
    const groups = /^Groups:\t(.*)$/m.exec(status)![1]!.trim().split(/\s+/).filter(Boolean).map(Number);
    assertEquals(conn.peerCredentials({ groups: true }).groups, groups);
  });

  it("refuses options that there are not", () => {
    const [one, two] = PAIRS.unix();
    using _one = one;
    using _two = two;
    assertThrows(() => one.peerCredentials({ pidFd: true } as object), TypeError, 'did you mean "pidfd"');
    assertThrows(() => one.peerCredentials({ groups: 1 as unknown as boolean }), TypeError, "groups");
  });
});
