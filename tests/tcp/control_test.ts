import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { connect, type Control, type Socket, sockopt } from "../../mod.ts";
import { descriptorCount, noDescriptorLeaks } from "../support/descriptors.ts";
import { freePort, LOOPBACK, withoutIPv6 } from "../support/loopback.ts";
import { rejection } from "../support/promises.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { listenTcp } from "./support.ts";

noDescriptorLeaks();

const NO_IPV6 = withoutIPv6();

/** Notes down every call. */
class Recorder {
  readonly calls: [network: string, address: unknown][] = [];
  socket: Socket | undefined;

  readonly control: Control = (socket, network, address) => {
    this.socket = socket;
    this.calls.push([network, address]);
  };
}

describe("control of listen()", TIMEOUT, () => {
  it("is called once, with the concrete network and the address asked for", () => {
    const recorder = new Recorder();
    using listener = listenTcp({ control: recorder.control });
    assertEquals(recorder.calls, [["tcp4", { transport: "tcp", hostname: LOOPBACK, port: 0 }]]);
    assertEquals(recorder.socket!.fd, listener.socket.fd);
  });

  itUnless(NO_IPV6, 'is called with "tcp6" for an IPv6 address', () => {
    const recorder = new Recorder();
    using _listener = listenTcp({ hostname: "::1", control: recorder.control });
    assertEquals(recorder.calls, [["tcp6", { transport: "tcp", hostname: "::1", port: 0 }]]);
  });

  it("runs before bind: two listeners share a port with it", () => {
    const control: Control = (socket) => socket.setOption(sockopt.SO_REUSEPORT, true);
    using first = listenTcp({ control });
    using second = listenTcp({ port: first.addr.port, control });
    assertEquals(second.addr, first.addr);
  });

  it("overrides the options", () => {
    const control: Control = (socket) => socket.setOption(sockopt.SO_REUSEADDR, false);
    using listener = listenTcp({ reuseAddress: true, control });
    assertEquals(listener.socket.getOption(sockopt.SO_REUSEADDR), false);
  });

  it("can bind; the second bind then fails and nothing stays open", () => {
    const before = descriptorCount();
    const control: Control = (socket) => socket.bind({ transport: "tcp", hostname: LOOPBACK, port: 0 });
    assertThrows(() => listenTcp({ control }), Error, "EINVAL");
    assertEquals(descriptorCount(), before);
  });

  it("aborts by throwing, and nothing stays open or bound", () => {
    const thrown = { any: "value" };
    const port = freePort();
    const before = descriptorCount();
    const control: Control = () => {
      throw thrown;
    };
    try {
      listenTcp({ port, control }).close();
      throw new Error("listened");
    } catch (error) {
      assertStrictEquals(error, thrown);
    }
    assertEquals(descriptorCount(), before);
    listenTcp({ port, reuseAddress: false }).close();
  });

  it("can close the socket; listen then rejects it", () => {
    const before = descriptorCount();
    assertThrows(() => listenTcp({ control: (socket) => socket.close() }), Deno.errors.BadResource);
    assertEquals(descriptorCount(), before);
  });
});

describe("control of connect()", TIMEOUT, () => {
  it("is called once before connect, with the concrete network and the address dialled", async () => {
    using listener = listenTcp();
    const recorder = new Recorder();
    const control: Control = (socket, network, address) => {
      recorder.control(socket, network, address);
      socket.setOption(sockopt.SO_RCVBUF, 4096);
    };
    using conn = await connect({ port: listener.addr.port, control });
    assertEquals(recorder.calls, [["tcp4", listener.addr]]);
    assertEquals(recorder.socket!.fd, conn.socket.fd);
    assert(conn.socket.getOption(sockopt.SO_RCVBUF) < 10_000);
  });

  it("chooses the local address by binding", async () => {
    using listener = listenTcp();
    const control: Control = (socket) => socket.bind({ transport: "tcp", hostname: "127.0.0.2", port: 0 });
    using conn = await connect({ port: listener.addr.port, control });
    assertEquals(conn.localAddr.hostname, "127.0.0.2");
  });

  it("aborts by throwing, and nothing stays open", async () => {
    using listener = listenTcp();
    const thrown = new Error("no");
    const before = descriptorCount();
    const control: Control = () => {
      throw thrown;
    };
    assertStrictEquals(await rejection(connect({ port: listener.addr.port, control })), thrown);
    assertEquals(descriptorCount(), before);
  });

  it("can close the socket; connect then rejects it", async () => {
    using listener = listenTcp();
    const before = descriptorCount();
    const dial = connect({ port: listener.addr.port, control: (socket) => socket.close() });
    assert(await rejection(dial) instanceof Deno.errors.BadResource);
    assertEquals(descriptorCount(), before);
  });
});
