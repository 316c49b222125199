import { assert, assertInstanceOf } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { listenDatagram, type UdpSocket } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { inside } from "../support/inside.ts";
import { missingNamespaces, NamespacePair } from "../support/namespaces.ts";
import { rejection } from "../support/promises.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";

noDescriptorLeaks();

const reason = await missingNamespaces();

/** Groups, each with two sources: one membership is of any source. */
const FAMILIES = [
  { wildcard: "0.0.0.0", any: "239.255.43.1", group: "232.255.43.1", sources: ["198.51.100.7", "198.51.100.8"] },
  { wildcard: "::", any: "ff12::43:1", group: "ff32::43:1", sources: ["2001:db8:43::7", "2001:db8:43::8"] },
] as const;

describe("Memberships on an interface that was removed", TIMEOUT, () => {
  for (const { wildcard, any, group, sources } of FAMILIES) {
    itUnless(reason, `of ${group} are left, each once, and their places are free again`, async () => {
      await using pair = await NamespacePair.create();
      const cable = (...args: string[]) => pair.left.run("ip", ["link", ...args]);
      const create = async () => {
        const { success, report } = await cable("add", "veth7", "up", "type", "veth", "peer", "name", "veth8");
        assert(success, report);
      };
      const join = (udp: UdpSocket) => {
        return inside(pair.left.name, () => [
          udp.joinMulticast(any, { interface: "veth7" }),
          ...sources.map((source) => udp.joinMulticast(group, { interface: "veth7", source })),
        ]);
      };
      await create();
      using udp = inside(pair.left.name, () => listenDatagram({ transport: "udp", hostname: wildcard }));
      // The limit of memberships of one IPv4 socket is 20.
      for (let round = 0; round < 12; round++) {
        const memberships = join(udp);
        const { success, report } = await cable("delete", "veth7");
        assert(success, report);
        if (round === 0) {
          for (const membership of memberships) await membership.leave();
          for (const membership of memberships) {
            assertInstanceOf(await rejection(membership.leave()), Deno.errors.AddrNotAvailable);
          }
        } else {
          for (const membership of memberships) membership[Symbol.dispose]();
        }
        await create();
      }
    });
  }
});
