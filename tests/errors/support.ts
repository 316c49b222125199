/**
 * Tables of the module's error messages: what is done, the message, and the class of the error.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe } from "@std/testing/bdd";
import {
  connect,
  listen,
  listenDatagram,
  Socket,
  type TcpConn,
  type UdpListenOptions,
  type UdpSocket,
} from "../../mod.ts";
import { LOOPBACK } from "../support/loopback.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { linuxTable } from "../support/systems.ts";

const NOT_LINUX = linuxTable ? null : "as Linux says it";

export type ErrorClass = abstract new (...given: never[]) => Error;

/** What is done, by its name; what comes of it; and in which words, where `*` stands for a word that is another every time. */
export type Row = readonly [what: string, call: () => unknown, errorClass: ErrorClass, words: string];

/** What a call throws or rejects with. */
export async function failure(call: () => unknown): Promise<Error> {
  try {
    await call();
  } catch (error) {
    assert(error instanceof Error);
    return error;
  }
  throw new Error("Nothing was thrown");
}

export function pattern(words: string): RegExp {
  return new RegExp(`^${RegExp.escape(words).replaceAll("\\*", "\\S+")}$`);
}

/** One test for each row. */
export function says(subject: string, rows: readonly Row[]): void {
  describe(`The messages of ${subject}`, TIMEOUT, () => {
    for (const [what, call, errorClass, words] of rows) {
      itUnless(/\(E[A-Z]+\)/.test(words) ? NOT_LINUX : null, `${what} is ${errorClass.name}: ${words}`, async () => {
        const error = await failure(call);
        assertMatch(error.message, pattern(words));
        assertEquals(error.constructor, errorClass);
      });
    }
  });
}

/** Something of another type than the one that is asked for. */
// deno-lint-ignore no-explicit-any
export function wrong(value: unknown): any {
  return value;
}

export function udp(options: Partial<UdpListenOptions> = {}): UdpSocket {
  return listenDatagram({ transport: "udp", hostname: LOOPBACK, ...options });
}

/** Calls with a UDP socket that is open for just that. */
export function withUdp(call: (socket: UdpSocket) => unknown, options?: Partial<UdpListenOptions>) {
  return async () => {
    using socket = udp(options);
    await call(socket);
  };
}

/** Calls with a TCP connection that is open for just that. */
export function withTcp(call: (conn: TcpConn) => unknown) {
  return async () => {
    using listener = listen({ hostname: LOOPBACK, port: 0 });
    using conn = await connect({ port: listener.addr.port });
    await call(conn);
  };
}

/** Calls with a bare socket that is open for just that. */
export function withSocket(domain: "inet" | "unix", type: "stream" | "dgram", call: (socket: Socket) => unknown) {
  return async () => {
    using socket = Socket.open(domain, type);
    await call(socket);
  };
}

/** Calls with a path in a directory that is there for just that. */
export function withPath(call: (path: string) => unknown) {
  return async () => {
    const directory = Deno.makeTempDirSync({ prefix: "berkeley-" });
    try {
      await call(`${directory}/socket`);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  };
}

export const ONE = Uint8Array.of(1);

export function detached(): Uint8Array {
  const bytes = new Uint8Array(8);
  bytes.buffer.transfer();
  return bytes;
}
