import { assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  connect,
  connectAny,
  listen,
  listenDatagram,
  type SeqpacketConn,
  type SeqpacketConnectOptions,
  type SeqpacketListenOptions,
  sockopt,
  type TcpConn,
  type TcpConnectOptions,
  type TcpListenOptions,
  type UdpListenOptions,
  type UnixConn,
  type UnixConnectOptions,
  type UnixDatagramOptions,
  type UnixListenOptions,
} from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { LOOPBACK } from "../support/loopback.ts";
import { rejection } from "../support/promises.ts";
import { TIMEOUT } from "../support/timeout.ts";

noDescriptorLeaks();

const path = () => `\0berkeley-unions-${crypto.randomUUID()}`;

describe("A union of options", TIMEOUT, () => {
  it("is accepted by listen, and by connect, which returns the union of connections", async () => {
    const listening: (TcpListenOptions | UnixListenOptions)[] = [
      { hostname: LOOPBACK, port: 0 },
      { transport: "unix", path: path() },
    ];
    for (const options of listening) {
      using listener = listen(options);
      const to: TcpConnectOptions | UnixConnectOptions = listener.kind === "TcpListener"
        ? { port: listener.addr.port }
        : { transport: "unix", path: listener.addr.path };
      using conn: TcpConn | UnixConn = await connect(to);
      assertEquals(conn.kind, listener.kind === "TcpListener" ? "TcpConn" : "UnixConn");
    }
  });

  it("of all transports is accepted too", async () => {
    const place = path();
    const listening: TcpListenOptions | UnixListenOptions | SeqpacketListenOptions = {
      transport: "seqpacket",
      path: place,
    } as TcpListenOptions | UnixListenOptions | SeqpacketListenOptions;
    using listener = listen(listening);
    const dialling = { transport: "seqpacket", path: place } as
      | TcpConnectOptions
      | UnixConnectOptions
      | SeqpacketConnectOptions;
    using conn: TcpConn | UnixConn | SeqpacketConn = await connect(dialling);
    assertEquals([listener.kind, conn.kind], ["SeqpacketListener", "SeqpacketConn"]);
  });

  it("is accepted by listenDatagram", () => {
    const options: (UdpListenOptions | UnixDatagramOptions)[] = [
      { transport: "udp", hostname: LOOPBACK },
      { transport: "unixgram" },
    ];
    const kinds = options.map((each) => {
      using socket = listenDatagram(each);
      return socket.kind;
    });
    assertEquals(kinds, ["UdpSocket", "UnixDatagram"]);
  });
});

describe("connectAny()", TIMEOUT, () => {
  it("accepts seqpacket candidates", async () => {
    const place = path();
    using _listener = listen({ transport: "seqpacket", path: place });
    using conn = await connectAny([{ transport: "unix", path: path() }, { transport: "seqpacket", path: place }]);
    assertEquals(conn.kind, "SeqpacketConn");
  });

  it("dials nothing if a candidate is invalid", async () => {
    using listener = listen({ hostname: LOOPBACK, port: 0 });
    let dialled = 0;
    const control = () => void dialled++;
    const wrong = [{ port: 65_536 }, { port: 1, deadline: NaN }, { port: 1, localAddress: { hostname: "a b" } }];
    for (const candidate of wrong) {
      const candidates: TcpConnectOptions[] = [{ port: listener.addr.port, control }, candidate];
      assertInstanceOf(await rejection(connectAny(candidates)), Error);
    }
    assertEquals(dialled, 0);
  });

  it("ends with the reason of a candidate's own signal among the others' errors", async () => {
    const reason = new Error("not this one");
    const candidates: TcpConnectOptions[] = [{ port: 1, signal: AbortSignal.abort(reason) }];
    const error = await rejection(connectAny(candidates));
    assertInstanceOf(error, AggregateError);
    assertStrictEquals(error.errors[0], reason);
  });
});

describe("An accepted connection", TIMEOUT, () => {
  /** What a listener's options make of a connection: TCP_NODELAY, and its keep-alive. */
  async function accepted(options: TcpListenOptions): Promise<unknown[]> {
    using listener = listen({ hostname: LOOPBACK, port: 0, ...options });
    using _client = await connect({ port: listener.addr.port });
    using conn = await listener.accept();
    const { SO_KEEPALIVE, TCP_KEEPCNT, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_NODELAY } = sockopt;
    const probing = conn.socket.getOption(SO_KEEPALIVE);
    const numbers = [TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT].map((option) => conn.socket.getOption(option));
    return [conn.socket.getOption(TCP_NODELAY), probing, ...probing && numbers[0] !== 7200 ? numbers : []];
  }

  it("has TCP_NODELAY on, like a dialled one, and no keep-alive", async () => {
    assertEquals(await accepted({}), [true, false]);
  });

  it("has noDelay and keepAlive of its listener", async () => {
    assertEquals(await accepted({ noDelay: false, keepAlive: true }), [false, true]);
    assertEquals(await accepted({ keepAlive: { idle: 33, interval: 5, count: 4 } }), [true, true, 33, 5, 4]);
  });
});

describe("A deadline in milliseconds from now", TIMEOUT, () => {
  it("ends waiting operations, also a dial; one of 0 or less at once", async () => {
    using udp = listenDatagram({ transport: "udp", hostname: LOOPBACK });
    for (const deadline of [5, 0, -1]) {
      udp.setReadDeadline(deadline);
      assertInstanceOf(await rejection(udp.receive()), Deno.errors.TimedOut);
    }
    udp.setReadDeadline(null);
    assertInstanceOf(await rejection(connect({ port: 1, deadline: 0 })), Deno.errors.TimedOut);
    assertInstanceOf(
      await rejection(connect({ transport: "unix", path: path(), deadline: -5 })),
      Deno.errors.TimedOut,
    );
  });

  it("of Infinity never expires", async () => {
    using udp = listenDatagram({ transport: "udp", hostname: LOOPBACK });
    udp.setReadDeadline(Infinity);
    const receiving = udp.receive();
    await udp.send(Uint8Array.of(1), udp.addr);
    assertEquals((await receiving)[0], Uint8Array.of(1));
  });
});
