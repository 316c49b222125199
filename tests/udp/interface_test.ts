import { assertEquals, assertThrows } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { listenDatagram, sockopt } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { inside } from "../support/inside.ts";
import { at, LOOPBACK } from "../support/loopback.ts";
import { missingNamespaces, NamespacePair } from "../support/namespaces.ts";
import { noInterfaceReading } from "../support/kernel.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { thisSystem } from "../../ffi/libc/host.ts";
import { linuxTable, noInterfaceBinding } from "../support/systems.ts";

noDescriptorLeaks();

const PORT = 4_800;
const reason = await missingNamespaces();
const linux = linuxTable ? null : `other options on ${thisSystem().name}`;

let pair: NamespacePair;
beforeAll(async () => {
  if (reason === null) pair = await NamespacePair.create();
});
afterAll(async () => {
  if (reason === null) await pair[Symbol.asyncDispose]();
});

describe("interface of a UDP socket", TIMEOUT, () => {
  itUnless(linux ?? noInterfaceReading(), "is set by name, by index and by address", () => {
    for (const by of ["lo", 1, LOOPBACK]) {
      using udp = listenDatagram({ transport: "udp", hostname: LOOPBACK, interface: by });
      assertEquals(udp.socket.getOption(sockopt.SO_BINDTODEVICE), "lo");
    }
  });

  for (const family of ["ipv4", "ipv6"] as const) {
    itUnless(
      noInterfaceBinding ?? reason,
      `shares one port among interfaces, each of which receives its own, over ${family}`,
      async () => {
        const open = (options: { interface: string }) => {
          const hostname = family === "ipv4" ? "0.0.0.0" : "::";
          return inside(pair.right.name, () => {
            return listenDatagram({ transport: "udp", hostname, port: PORT, reuseAddress: true, ...options });
          });
        };
        using onLoopback = open({ interface: "lo" });
        using onCable = open({ interface: "veth0" });
        using near = inside(pair.right.name, () => {
          return listenDatagram({ transport: "udp", hostname: family === "ipv4" ? LOOPBACK : "::1" });
        });
        using far = inside(pair.left.name, () => {
          return listenDatagram({ transport: "udp", hostname: pair.left[family] });
        });
        for (let round = 0; round < 20; round++) {
          await far.send(Uint8Array.of(1, round), at(pair.right[family], PORT));
          await near.send(Uint8Array.of(2, round), at(near.addr.hostname, PORT));
          assertEquals([...(await onCable.receive())[0]], [1, round]);
          assertEquals([...(await onLoopback.receive())[0]], [2, round]);
        }
      },
    );
  }

  it("is refused before anything is opened where it names none", () => {
    const open = (by: unknown) => () => listenDatagram({ transport: "udp", interface: by as string });
    assertThrows(open("nosuch0"), Deno.errors.NotFound, '"nosuch0"');
    for (const by of ["", 0, 1.5, NaN, -1, null, {}]) assertThrows(open(by), TypeError, "Invalid interface: ");
  });
});
