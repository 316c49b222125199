/**
 * A UDP socket in a process of its own, worked from outside: a JSON array `[method, ...args]` on each line of standard
 * input, and its outcome on standard output. `remote.ts <UdpListenOptions as JSON>`; driven by ../remote.ts.
 *
 * @module
 */
import { listenDatagram, type MulticastMembership, type MulticastOptions, sockopt } from "../../../mod.ts";
import { Lines } from "../../support/lines.ts";

const socket = listenDatagram({ transport: "udp", ...JSON.parse(Deno.args[0]!) });
const memberships: MulticastMembership[] = [];

/** What can be asked; it resolves to what the answer holds. */
const methods = {
  /** Joins, and answers with the number that the other methods know the membership by. */
  join(group: string, options: MulticastOptions): number {
    return memberships.push(socket.joinMulticast(group, options)) - 1;
  },
  /** The interfaces that a membership of all has joined, and what the last failed with. */
  joined(membership: number): { interfaces: readonly number[]; code: string | null } {
    const { interfaces = [], error } = memberships[membership]!;
    return { interfaces, code: error?.code ?? null };
  },
  async leave(membership: number): Promise<void> {
    await memberships[membership]!.leave();
  },
  block(membership: number, source: string): void {
    memberships[membership]!.blockSource(source);
  },
  unblock(membership: number, source: string): void {
    memberships[membership]!.unblockSource(source);
  },
  multicastInterface(networkInterface: string | number): void {
    socket.setMulticastInterface(networkInterface);
  },
  multicastTTL(ttl: number): void {
    socket.setMulticastTTL(ttl);
  },
  multicastLoopback(loopback: boolean): void {
    socket.setMulticastLoopback(loopback);
  },
  /** Hears only the groups it joined itself. */
  own(): void {
    if (sockopt.IP_MULTICAST_ALL.supported) socket.socket.setOption(sockopt.IP_MULTICAST_ALL, false);
    const { IPV6_MULTICAST_ALL } = sockopt;
    if (socket.addr.hostname === "::" && IPV6_MULTICAST_ALL.supported) {
      socket.socket.setOption(IPV6_MULTICAST_ALL, false);
    }
  },
  async send(text: string, hostname: string, port: number): Promise<number> {
    return await socket.send(new TextEncoder().encode(text), { transport: "udp", hostname, port });
  },
  /** The next datagram and where it came from. */
  async receiveText(): Promise<[text: string, from: string]> {
    const [data, { hostname }] = await socket.receive();
    return [new TextDecoder().decode(data), hostname];
  },
};

export type Methods = typeof methods;

type AnyMethod = (...args: unknown[]) => unknown;

console.log("ready");
for await (const line of new Lines(Deno.stdin.readable)) {
  const [method, ...args] = JSON.parse(line) as [keyof Methods, ...unknown[]];
  const call = methods[method] as AnyMethod;
  try {
    console.log(JSON.stringify({ value: await call(...args) ?? null }));
  } catch (error) {
    console.log(JSON.stringify({ error: (error as Error).message }));
  }
}
socket.close();
