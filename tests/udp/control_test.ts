import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type Socket, sockopt } from "../../mod.ts";
import { descriptorCount, noDescriptorLeaks } from "../support/descriptors.ts";
import { at, LOOPBACK } from "../support/loopback.ts";
import { openUdp } from "./support.ts";
import { linuxTable } from "../support/systems.ts";

noDescriptorLeaks();

describe("control", () => {
  for (const [hostname, network] of [[LOOPBACK, "udp4"], ["::1", "udp6"]] as const) {
    it(`is called once, with the socket, "${network}" and the address`, () => {
      const calls: unknown[][] = [];
      let seen: Socket | undefined;
      using udp = openUdp({
        hostname,
        control: (socket, ...rest) => {
          seen = socket;
          calls.push(rest);
        },
      });
      assertEquals(calls, [[network, at(hostname, 0)]]);
      assertEquals(seen!.fd, udp.socket.fd);
    });
  }

  it("is called before bind and after the options are set", () => {
    let before: Deno.NetAddr | undefined;
    using udp = openUdp({
      broadcast: false,
      receiveBufferSize: 8192,
      control: (socket) => {
        assertEquals(socket.getOption(sockopt.SO_BROADCAST), false);
        // Linux doubles it: socket(7).
        assertEquals(socket.getOption(sockopt.SO_RCVBUF), linuxTable ? 2 * 8192 : 8192);
        socket.setOption(sockopt.SO_BROADCAST, true);
        socket.setOption(sockopt.IP_TTL, 5);
        before = at(LOOPBACK, 0);
      },
    });
    assert(before !== undefined && udp.addr.port !== 0);
    assertEquals(udp.socket.getOption(sockopt.SO_BROADCAST), true);
    assertEquals(udp.socket.getOption(sockopt.IP_TTL), 5);
  });

  it("aborts the call by throwing: the caller gets the error, and nothing stays open", () => {
    const count = descriptorCount();
    const thrown = new Error("Not this one");
    const caught = assertThrows(() =>
      openUdp({
        control: () => {
          throw thrown;
        },
      })
    );
    assertStrictEquals(caught, thrown);
    assertEquals(descriptorCount(), count);
  });

  it("can close the socket, which then cannot be bound", () => {
    const count = descriptorCount();
    assertThrows(() => openUdp({ control: (socket) => socket.close() }), Deno.errors.BadResource);
    assertEquals(descriptorCount(), count);
  });

  it("can bind the socket; the call's own bind then fails", () => {
    const count = descriptorCount();
    const error = assertThrows(
      () => openUdp({ control: (socket) => socket.bind(at(LOOPBACK, 0)) }),
      Error,
      "bind 127.0.0.1:0",
    );
    assert("code" in error && error.code === "EINVAL");
    assertEquals(descriptorCount(), count);
  });
});
