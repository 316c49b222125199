import { assert, assertEquals, assertFalse, assertInstanceOf, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  type AnySocket,
  connect,
  DatagramBatch,
  type Endpoint,
  fromFd,
  listen,
  listenDatagram,
  type OpenedSocket,
  OwnedFd,
  SeqpacketConn,
  SeqpacketListener,
  Socket,
  socketPair,
  TcpConn,
  TcpListener,
  UdpSocket,
  UnixConn,
  UnixDatagram,
  UnixListener,
} from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { LOOPBACK } from "../support/loopback.ts";
import { TIMEOUT } from "../support/timeout.ts";

noDescriptorLeaks();

const CLASSES = {
  TcpConn,
  TcpListener,
  UdpSocket,
  UnixConn,
  UnixDatagram,
  UnixListener,
  SeqpacketConn,
  SeqpacketListener,
} as const;

type Name = keyof typeof CLASSES;

/** One object of each class, from the function that people get it from. */
async function openAll(stack: DisposableStack): Promise<Record<Name, AnySocket>> {
  const path = `\0berkeley-surface-${crypto.randomUUID()}`;
  const tcp = stack.use(listen({ hostname: LOOPBACK, port: 0 }));
  const unix = stack.use(listen({ transport: "unix", path }));
  const seqpacket = stack.use(listen({ transport: "seqpacket", path: `${path}-seqpacket` }));
  return {
    TcpListener: tcp,
    TcpConn: stack.use(await connect({ port: tcp.addr.port })),
    UdpSocket: stack.use(listenDatagram({ transport: "udp", hostname: LOOPBACK })),
    UnixListener: unix,
    UnixConn: stack.use(await connect({ transport: "unix", path })),
    UnixDatagram: stack.use(listenDatagram({ transport: "unixgram", path: "" })),
    SeqpacketListener: seqpacket,
    SeqpacketConn: stack.use(await connect({ transport: "seqpacket", path: `${path}-seqpacket` })),
  };
}

/** A private constructor as JavaScript sees it. */
function construct(constructor: unknown, ...given: unknown[]): unknown {
  return Reflect.construct(constructor as new (...given: unknown[]) => unknown, given);
}

/** Passes a descriptor over a Unix socket. */
async function pass(socket: Endpoint): Promise<OwnedFd> {
  const [one, two] = socketPair("stream");
  using _one = one;
  using _two = two;
  await one.sendMessage({ data: Uint8Array.of(1), fds: [socket] });
  return (await two.receiveMessage())!.fds[0]!;
}

describe("The class of an object", TIMEOUT, () => {
  it("is exported, its name is the object's kind, and instanceof tells it from the others", async () => {
    using stack = new DisposableStack();
    const sockets = await openAll(stack);
    for (const [name, socket] of Object.entries(sockets)) {
      assertEquals(socket.kind, name as Name);
      for (const [other, constructor] of Object.entries(CLASSES)) {
        assertEquals(
          socket instanceof (constructor as unknown as new () => object),
          other === name,
          `${name} as ${other}`,
        );
      }
    }
  });

  it("is also that of the results of accept, fromFd, OwnedFd.open and socketPair", async () => {
    using stack = new DisposableStack();
    const sockets = await openAll(stack);
    const accepted = [
      await (sockets.TcpListener as TcpListener).accept(),
      await (sockets.UnixListener as UnixListener).accept(),
      await (sockets.SeqpacketListener as SeqpacketListener).accept(),
      ...socketPair("stream"),
      ...socketPair("seqpacket"),
    ];
    for (const socket of accepted) stack.use(socket);
    assertEquals(
      accepted.map(({ kind }) => kind),
      ["TcpConn", "UnixConn", "SeqpacketConn", "UnixConn", "UnixConn", "SeqpacketConn", "SeqpacketConn"],
    );
    for (const [name, socket] of Object.entries(sockets)) {
      const opened: OpenedSocket = stack.use((await pass(socket)).open());
      assertEquals(opened.kind, name);
      assertInstanceOf(opened, CLASSES[name as Name] as unknown as new () => object);
      const taken = stack.use(fromFd(await pass(socket)));
      assertEquals(taken.kind, name as Name);
      const number = stack.use(fromFd((await pass(socket)).detach()));
      assertEquals(number.kind, name as Name);
    }
  });

  it("distinguishes the members of a union, also for the type checker", async () => {
    using stack = new DisposableStack();
    const { TcpListener: socket } = await openAll(stack);
    assert(socket.kind === "TcpListener");
    assertEquals(socket.addr.hostname, LOOPBACK);
  });

  it("cannot be constructed from outside", async () => {
    using stack = new DisposableStack();
    const sockets = await openAll(stack);
    const fd = sockets.UdpSocket.socket.fd;
    const wrong: unknown[] = [undefined, null, fd, { fd }, sockets.UdpSocket, sockets.UdpSocket.socket];
    for (const [name, socket] of Object.entries(sockets)) {
      for (const given of wrong) {
        assertThrows(() => construct(CLASSES[name as Name], given), TypeError, "Illegal constructor");
        assertThrows(() => construct(socket.constructor, given), TypeError, "Illegal constructor");
      }
    }
    assert(sockets.UdpSocket.socket.fd === fd);
  });

  it("of a membership cannot be constructed from something with a number", () => {
    using udp = listenDatagram({ transport: "udp", hostname: "0.0.0.0" });
    for (const index of ["lo", "all"]) {
      const membership = udp.joinMulticast("239.255.7.7", { interface: index });
      const Constructor = membership.constructor as new (...given: unknown[]) => unknown;
      assertThrows(() => new Constructor({ fd: udp.socket.fd }, "inet", {}), TypeError, "Illegal constructor");
      membership[Symbol.dispose]();
    }
  });

  it("of a descriptor or a bare socket cannot be constructed from a number", () => {
    using udp = listenDatagram({ transport: "udp", hostname: LOOPBACK });
    const { fd } = udp.socket;
    assertThrows(() => construct(OwnedFd, fd), TypeError, "Illegal constructor");
    assertThrows(() => construct(Socket, fd), TypeError, "Illegal constructor");
    assertEquals(udp.socket.fd, fd);
  });
});

/** Every name that an object answers to. */
function membersOf(object: object): Set<string | symbol> {
  const names = new Set<string | symbol>();
  for (let at: object | null = object; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const name of Reflect.ownKeys(at)) names.add(name);
  }
  return names;
}

describe("What can be reached of an object", TIMEOUT, () => {
  it("is what is documented: no descriptor, no address, no hidden method", async () => {
    using stack = new DisposableStack();
    const sockets = Object.values(await openAll(stack));
    const others = [sockets[0]!.socket, await pass(sockets[0]!), new DatagramBatch()];
    stack.use(others[1] as OwnedFd);
    const document = await Deno.readTextFile(new URL("../../mod.ts", import.meta.url));
    assert(document.length > 0);
    for (const object of [...sockets, ...others]) {
      const names = membersOf(object);
      for (const hidden of ["descriptor", "family", "wrap", "receiveInto", "fds"]) {
        assertFalse(names.has(hidden), `${object.constructor.name}.${hidden}`);
      }
      // Own properties would be fields that anybody may change.
      assertEquals(Reflect.ownKeys(object), [], object.constructor.name);
    }
    assertFalse(membersOf(new DatagramBatch()).has("receive"));
  });
});
