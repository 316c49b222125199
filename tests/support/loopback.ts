/**
 * Addresses of this machine. Nothing that tests send leaves it.
 *
 * @module
 */
import { listen, listenDatagram } from "../../mod.ts";

/** The IPv4 address of the loopback interface. */
export const LOOPBACK = "127.0.0.1";

/** A name that no resolver knows: a label has 63 characters at most. */
export const UNKNOWN_HOST = `${"x".repeat(64)}.invalid`;

/** A UDP address. */
export function at(hostname: string, port: number): Deno.NetAddr {
  return { transport: "udp", hostname, port };
}

/** A TCP port that is free on both families; another program may bind it at any time. */
export function freePort(): number {
  using listener = listen({ hostname: withoutIPv6() === null ? "::" : "0.0.0.0", port: 0 });
  return listener.addr.port;
}

/** A UDP port that is free; another program may bind it at any time. */
export function freeUdpPort(): number {
  using socket = listenDatagram({ transport: "udp", hostname: "0.0.0.0" });
  return socket.addr.port;
}

/** Why there is nothing to test over IPv6, or null. */
export function withoutIPv6(): string | null {
  try {
    listen({ hostname: "::1", port: 0 }).close();
    return null;
  } catch (error) {
    return `no IPv6 here: ${(error as Error).message}`;
  }
}
