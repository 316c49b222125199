import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type {
  Control,
  Datagram,
  Deadlines,
  MulticastMembership,
  SocketError,
  UdpSocket,
  WaitOptions,
} from "../../mod.ts";
import { isSocketError, listenDatagram, type Socket } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { openUdp } from "./support.ts";

noDescriptorLeaks();

/** True where one type may stand in for the other. */
type Fits<Given, Wanted> = [Given] extends [Wanted] ? true : false;

/** Compiles only for true. */
function holds<_Claim extends true>(): void {}

// The types are checked when this file is: there is nothing to see at run time.
holds<Fits<UdpSocket, Deno.DatagramConn>>();
holds<Fits<UdpSocket, Deadlines & Disposable>>();
holds<Fits<UdpSocket, AsyncIterable<[Uint8Array<ArrayBuffer>, Deno.NetAddr]>>>();
holds<Fits<typeof listenDatagram, (options: Deno.UdpListenOptions & { transport: "udp" }) => Deno.DatagramConn>>();
holds<Fits<UdpSocket["addr"], Deno.NetAddr>>();
holds<Fits<UdpSocket["remoteAddr"], Deno.NetAddr | null>>();
holds<Fits<Awaited<ReturnType<UdpSocket["receive"]>>, [Uint8Array<ArrayBuffer>, Deno.NetAddr]>>();
holds<Fits<Awaited<ReturnType<UdpSocket["receiveMessage"]>>, Datagram>>();
holds<Fits<ReturnType<UdpSocket["joinMulticastV4"]>, Promise<Deno.MulticastV4Membership>>>();
holds<Fits<ReturnType<UdpSocket["joinMulticastV6"]>, Promise<Deno.MulticastV6Membership>>>();
holds<Fits<MulticastMembership, Deno.MulticastV4Membership & Disposable>>();
holds<Fits<{ signal: AbortSignal }, WaitOptions>>();
holds<Fits<{ signal: AbortSignal | undefined }, WaitOptions>>();
holds<Fits<Socket, Disposable>>();
holds<Fits<(socket: Socket) => void, Control>>();
holds<Fits<SocketError, Error>>();

/** What Deno's own function is used for, by code that knows nothing of this module. */
async function denoProgram(listen: (options: Deno.UdpListenOptions & { transport: "udp" }) => Deno.DatagramConn) {
  const receiver = listen({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const sender = listen({ transport: "udp", hostname: "127.0.0.1", port: 0, reuseAddress: true, loopback: true });
  await sender.send(Uint8Array.of(1, 2, 3), receiver.addr);
  const received: [number[], string][] = [];
  for await (const [data, addr] of receiver) {
    received.push([[...data], (addr as Deno.NetAddr).hostname]);
    receiver.close();
  }
  sender.close();
  return received;
}

describe("Types", () => {
  it("allow a socket in place of Deno's", async () => {
    assertEquals(await denoProgram(listenDatagram), [[[1, 2, 3], "127.0.0.1"]]);
  });

  it("narrow an error to its members", () => {
    using first = openUdp();
    try {
      openUdp({ port: first.addr.port }).close();
    } catch (error) {
      if (!isSocketError(error)) throw error;
      const { code, errno, syscall, timeout, address } = error;
      assertEquals([code, syscall, timeout, typeof address], ["EADDRINUSE", "bind", false, "string"]);
      assert(errno > 0);
    }
  });
});
