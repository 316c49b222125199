import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { connect, listen, Socket, socketPair, sockopt } from "../../mod.ts";
import { describeMessages } from "../conformance/message.ts";
import { bytes } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { describeUnless, itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import {
  abstractName,
  connectedPair,
  Directory,
  isCloseOnExec,
  noAbstractNames,
  notLinux,
  pairOf,
  PAIRS,
  TRANSPORTS,
} from "./support.ts";
import { missingOptions, noSeqpacket } from "../support/systems.ts";

noDescriptorLeaks();

if (noSeqpacket === null) {
  describeMessages("Seqpacket at a path", async () => {
    using directory = new Directory();
    return await connectedPair("seqpacket", directory.file());
  });
}

if (noSeqpacket === null) {
  describeMessages('socketPair("seqpacket")', () => Promise.resolve(pairOf(...socketPair("seqpacket"))));
}

describeUnless(noSeqpacket, "A seqpacket listener", TIMEOUT, () => {
  it("has its address, and its connections have both", async () => {
    using directory = new Directory();
    const path = directory.file();
    using listener = listen({ transport: "seqpacket", path });
    assertEquals(listener.addr, { transport: "seqpacket", path });
    using client = await connect({ transport: "seqpacket", path });
    using server = await listener.accept();
    const unnamed = { transport: "seqpacket", path: null } as const;
    assertEquals([client.localAddr, client.remoteAddr], [unnamed, listener.addr]);
    assertEquals([server.localAddr, server.remoteAddr], [listener.addr, unnamed]);
  });

  itUnless(noAbstractNames, "listens at an abstract name", async () => {
    const path = abstractName();
    using pair = await connectedPair("seqpacket", path);
    assertEquals([pair.one.remoteAddr.path, pair.two.localAddr.path], [path, path]);
  });

  it("refuses streams, and a stream listener refuses seqpacket connections", async () => {
    using directory = new Directory();
    using _packets = listen({ transport: "seqpacket", path: directory.file("packets") });
    using _stream = listen({ transport: "unix", path: directory.file("stream") });
    for (
      const call of [
        () => connect({ transport: "unix", path: directory.file("packets") }),
        () => connect({ transport: "seqpacket", path: directory.file("stream") }),
      ]
    ) {
      assertEquals(
        (await assertRejects(call, Error, "protocol wrong type for socket") as { code?: string }).code,
        "EPROTOTYPE",
      );
    }
  });

  it("gives connections to waiting accepts in order, and ends an iteration when it is closed", async () => {
    using directory = new Directory();
    const path = directory.file();
    using listener = listen({ transport: "seqpacket", path });
    using open = new DisposableStack();
    const accepts = [listener.accept(), listener.accept()];
    for (let index = 0; index < 3; index++) {
      await open.use(await connect({ transport: "seqpacket", path })).send(Uint8Array.of(index));
    }
    for (const [index, conn] of (await Promise.all(accepts)).entries()) {
      assertEquals(await open.use(conn).receive(), Uint8Array.of(index));
    }
    for await (const conn of listener) {
      assertEquals(await open.use(conn).receive(), Uint8Array.of(2));
      listener.close();
    }
  });

  it("calls control with the network's name, and leaves nothing if that throws", async () => {
    using directory = new Directory();
    const path = directory.file();
    const calls: unknown[] = [];
    const control = (socket: Socket, network: string, address: unknown) =>
      void calls.push([socket.getOption(sockopt.SO_TYPE), network, address]);
    using _listener = listen({ transport: "seqpacket", path, control });
    using _conn = await connect({ transport: "seqpacket", path, control });
    const expected = [5, "seqpacket", { transport: "seqpacket", path }];
    assertEquals(calls, [expected, expected]);
    const refuse = () => {
      throw new Error("not this one");
    };
    assertThrows(() => listen({ transport: "seqpacket", path: directory.file("other"), control: refuse }), Error);
    await assertRejects(() => connect({ transport: "seqpacket", path, control: refuse }), Error, "not this one");
    assertEquals(directory.names, ["socket"]);
  });
});

describeUnless(noSeqpacket, "An unnamed end of seqpacket", TIMEOUT, () => {
  itUnless(
    missingOptions("SO_PASSCRED"),
    "stays unnamed when it sends, whenever the connection is accepted",
    async () => {
      using directory = new Directory();
      const path = directory.file();
      using listener = listen({ transport: "seqpacket", path });
      using client = await connect({ transport: "seqpacket", path });
      await client.send(bytes("early"));
      await client.sendMessage({ data: bytes("early too") });
      using server = await listener.accept();
      assertEquals(server.remoteAddr.path, null);
      assertEquals((await server.receiveMessage({ credentials: true }))?.credentials?.pid, Deno.pid);
      await server.send(bytes("answer"));
      assertEquals(await client.receive(), bytes("answer"));
    },
  );

  itUnless(notLinux, "has the system's default options once it is detached", () => {
    const [one, two] = socketPair("seqpacket");
    using given = Socket.fromFd(one.detach());
    two.close();
    // SO_PASSCRED, which has no name in the public table: <asm-generic/socket.h>.
    assertEquals(given.getRawOption(1, 16, 4), new Uint8Array(4));
  });
});

describe("socketPair()", () => {
  it("makes two ends without names, of either type, that are close-on-exec", () => {
    for (const [one, two] of TRANSPORTS.map((transport) => PAIRS[transport]())) {
      for (const conn of [one, two]) {
        assertEquals([conn.localAddr.path, conn.remoteAddr.path], [null, null]);
        if (notLinux === null) assert(isCloseOnExec(conn.socket.fd));
        conn.close();
      }
    }
  });

  it("refuses other types and quotes them", () => {
    for (const type of ["datagram", "", undefined, null, 1]) {
      assertThrows(() => socketPair(type as "stream"), TypeError, `Unknown type: ${JSON.stringify(type)}`);
    }
  });
});
