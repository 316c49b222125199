import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { isSocketError, listenDatagram, type SocketError, type UdpSocket } from "../../mod.ts";
import { pattern } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { inside } from "../support/inside.ts";
import { missingNamespaces } from "../support/namespaces.ts";
import { NARROW_MTU, ROUTED, RoutedPair } from "../support/routed.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { missingOptions } from "../support/systems.ts";

noDescriptorLeaks();

const noNamespaces = missingOptions("IP_MTU", "IPV6_MTU") ?? await missingNamespaces();

async function tooLong(socket: UdpSocket, length: number, to?: Deno.NetAddr): Promise<SocketError> {
  const error = await assertRejects(() => socket.send(pattern(length), to), Error);
  assert(isSocketError(error));
  assertEquals(error.code, "EMSGSIZE");
  return error;
}

/** Bytes of the headers of IP and UDP. */
const HEADERS = { ipv4: 28, ipv6: 48 } as const;

describe("The MTU of a path", TIMEOUT, () => {
  for (const family of ["ipv4", "ipv6"] as const) {
    for (const hostname of family === "ipv4" ? ["0.0.0.0", "::"] : ["::"]) {
      const name = `${family} from ${hostname}`;

      itUnless(noNamespaces, `is on the error of a datagram that may not be fragmented: ${name}`, async () => {
        await using row = await RoutedPair.create();
        const open = (dontFragment: boolean | "probe") =>
          inside(row.left, () => listenDatagram({ transport: "udp", hostname, dontFragment }));
        const far = inside(row.right, () => listenDatagram({ transport: "udp", hostname: ROUTED.right[family] }));
        using _far = far;
        using socket = open(true);
        const largest = 1500 - HEADERS[family];
        const first = inside(row.left, () => tooLong(socket, largest + 1, far.addr));
        assertEquals((await first).mtu, 1500);
        // This one is told too large by the router, and the kernel remembers that.
        await inside(row.left, () => socket.send(pattern(largest), far.addr));
        using connected = open(true);
        inside(row.left, () => connected.connect(far.addr));
        // The first datagram out of a cable waits for the neighbour to be found, and so does the router's answer.
        for (let tries = 0; connected.pathMtu !== NARROW_MTU && tries < 500; tries++) {
          await socket.send(pattern(largest), far.addr).catch(() => {});
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        assertEquals(connected.pathMtu, NARROW_MTU);
        assertEquals((await inside(row.left, () => tooLong(socket, largest, far.addr))).mtu, NARROW_MTU);
        assertEquals((await tooLong(connected, largest)).mtu, NARROW_MTU);
        await connected.send(pattern(NARROW_MTU - HEADERS[family], 7));
        let data: Uint8Array;
        do [data] = await far.receive(); while (data.length !== NARROW_MTU - HEADERS[family]);
        using plain = open(false);
        assertEquals(await inside(row.left, () => plain.send(pattern(largest), far.addr)), largest);
        using probing = open("probe");
        assertEquals(await inside(row.left, () => probing.send(pattern(largest), far.addr)), largest);
        await inside(row.left, () => tooLong(probing, largest + 1, far.addr));
      });
    }
  }

  it("is not on an error of another kind", async () => {
    using gone = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
    using socket = listenDatagram({ transport: "udp", hostname: "127.0.0.1", dontFragment: true });
    socket.connect(gone.addr);
    gone.close();
    await socket.send(pattern(1));
    const error = await assertRejects(() => socket.receive(), Deno.errors.ConnectionRefused);
    assert(!("mtu" in error));
  });
});
