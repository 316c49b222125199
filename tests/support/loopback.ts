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

/** Ports below those that systems give to sockets that ask for any: what runs beside a test takes none by accident. */
const FIRST_PORT = 20_000;
const PORTS = 10_000;
const MOST_ATTEMPTS = 1_000;

/** A TCP port that is free on both families; another program may bind it at any time. */
export function freePort(): number {
  const hostname = withoutIPv6() === null ? "::" : "0.0.0.0";
  return findPort((port) => listen({ hostname, port }).close());
}

/** A UDP port that is free; another program may bind it at any time. */
export function freeUdpPort(): number {
  return findPort((port) => listenDatagram({ transport: "udp", hostname: "0.0.0.0", port }).close());
}

function findPort(tryToBind: (port: number) => void): number {
  for (let attempt = 1;; attempt++) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    try {
      tryToBind(port);
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse) || attempt === MOST_ATTEMPTS) throw error;
    }
  }
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
