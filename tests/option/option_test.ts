import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { isSocketError, type Linger, Socket, type SocketOption, sockopt } from "../../mod.ts";
import { thisSystem } from "../../ffi/libc/host.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { itUnless } from "../support/skipping.ts";
import { openListener } from "../socket/support.ts";
import { systems } from "../struct/support.ts";

noDescriptorLeaks();

type Name = keyof typeof sockopt;
type Value = boolean | number | string | Linger;

/** Kinds of sockets that options are tried on. */
const KINDS = {
  udp: () => Socket.open("inet", "dgram"),
  udp6: () => Socket.open("inet6", "dgram"),
  tcp: () => Socket.open("inet", "stream"),
  unix: () => Socket.open("unix", "stream"),
  listener: () => openListener(),
} as const;

/** What is known of one option on Linux. */
interface Row {
  readonly on: keyof typeof KINDS;
  /** What a new socket has; left out where that is the system's business. */
  readonly initial?: Value;
  /** Values to set, and what is read back where it is not what was set. */
  readonly set?: readonly (Value | readonly [set: Value, read: Value])[];
  /** What setting fails with where it is refused for good. */
  readonly readOnly?: string;
  /** Needs a capability: EPERM is an answer too. */
  readonly privileged?: true;
  /** A kind of socket that has no such option, and what it says. */
  readonly notOn?: readonly [keyof typeof KINDS, string];
}

const FLAG: readonly Value[] = [true, false];

/** The kernel keeps twice what was asked for. */
const doubled = (bytes: number): readonly [Value, Value] => [bytes, 2 * bytes];

const ROWS: Readonly<Record<Name, Row>> = {
  SO_REUSEADDR: { on: "udp", initial: false, set: FLAG },
  SO_REUSEPORT: { on: "udp", initial: false, set: FLAG },
  SO_REUSEPORT_LB: { on: "udp" },
  SO_BROADCAST: { on: "udp", initial: false, set: FLAG },
  SO_KEEPALIVE: { on: "tcp", initial: false, set: FLAG },
  SO_LINGER: { on: "tcp", initial: { seconds: null }, set: [{ seconds: 0 }, { seconds: 7 }, { seconds: null }] },
  SO_RCVBUF: { on: "udp", set: [doubled(8192), doubled(16_384)] },
  SO_SNDBUF: { on: "udp", set: [doubled(8192), doubled(16_384)] },
  SO_ERROR: { on: "udp", initial: 0, readOnly: "ENOPROTOOPT" },
  SO_TYPE: { on: "tcp", initial: 1, readOnly: "ENOPROTOOPT" },
  SO_DOMAIN: { on: "tcp", initial: 2, readOnly: "ENOPROTOOPT" },
  SO_PROTOCOL: { on: "tcp", initial: 6, readOnly: "ENOPROTOOPT" },
  SO_ACCEPTCONN: { on: "listener", initial: true, readOnly: "ENOPROTOOPT" },
  SO_BINDTODEVICE: { on: "udp", initial: "", set: ["lo", ""], privileged: true },
  SO_MARK: { on: "udp", initial: 0, set: [42, 0], privileged: true },
  SO_PRIORITY: { on: "udp", initial: 0, set: [6, 0] },
  SO_BUSY_POLL: { on: "udp", set: [50, 0], privileged: true },
  SO_INCOMING_CPU: { on: "udp", set: [0] },
  IP_TTL: { on: "udp", initial: 64, set: [1, 255], notOn: ["unix", "EOPNOTSUPP"] },
  IP_TOS: { on: "udp", initial: 0, set: [0x10, 0] },
  IP_FREEBIND: { on: "udp", initial: false, set: FLAG },
  IP_TRANSPARENT: { on: "udp", initial: false, set: FLAG, privileged: true },
  IP_MULTICAST_TTL: { on: "udp", initial: 1, set: [0, 255] },
  IP_MULTICAST_LOOP: { on: "udp", initial: true, set: [false, true] },
  IP_MULTICAST_ALL: { on: "udp", initial: true, set: [false, true] },
  IPV6_V6ONLY: { on: "udp6", initial: false, set: FLAG, notOn: ["unix", "EOPNOTSUPP"] },
  IPV6_UNICAST_HOPS: { on: "udp6", initial: 64, set: [1, 255, [-1, 64]] },
  IPV6_MULTICAST_HOPS: { on: "udp6", initial: 1, set: [0, 255, [-1, 1]] },
  IPV6_MULTICAST_LOOP: { on: "udp6", initial: true, set: [false, true] },
  IPV6_MULTICAST_IF: { on: "udp6", initial: 0, set: [1, 0] },
  IPV6_TCLASS: { on: "udp6", initial: 0, set: [0x10, 0] },
  TCP_NODELAY: { on: "tcp", initial: false, set: FLAG, notOn: ["udp", "EOPNOTSUPP"] },
  TCP_MAXSEG: { on: "tcp", set: [1000] },
  TCP_KEEPIDLE: { on: "tcp", set: [60, 1] },
  TCP_KEEPINTVL: { on: "tcp", set: [10, 1] },
  TCP_KEEPCNT: { on: "tcp", set: [3, 1] },
  TCP_USER_TIMEOUT: { on: "tcp", initial: 0, set: [1500, 0] },
  TCP_DEFER_ACCEPT: { on: "listener", initial: 0, set: [1, 0] },
  TCP_FASTOPEN: { on: "listener", initial: 0, set: [16] },
  TCP_QUICKACK: { on: "tcp", set: FLAG },
  TCP_CORK: { on: "tcp", initial: false, set: FLAG },
  TCP_CONGESTION: { on: "tcp", set: ["reno"] },
  UDP_SEGMENT: { on: "udp", initial: 0, set: [1200, 0], notOn: ["tcp", "EOPNOTSUPP"] },
  UDP_GRO: { on: "udp", initial: false, set: FLAG },
};

/** Why setting cannot be tried, found out by trying. */
function notPermitted(option: SocketOption<Value>, { on, set = [], privileged }: Row): string | null {
  if (privileged === undefined || Deno.build.os !== "linux") return null;
  using socket = KINDS[on]();
  try {
    socket.setOption(option, set[0] as Value);
    return null;
  } catch (error) {
    if (isSocketError(error) && error.code === "EPERM") return "setting it needs a capability";
    throw error;
  }
}

describe("Every option", () => {
  it("is in this table and in the system's", () => {
    assertEquals(Object.keys(ROWS).sort(), Object.keys(sockopt).sort());
    for (const [name, option] of Object.entries(sockopt)) {
      assertEquals(option.name, name);
      assertEquals(option.supported, thisSystem().options[name as Name] !== null);
      for (const system of systems) assert(name in system.options, `${system.name} ${name}`);
    }
  });

  for (const [name, row] of Object.entries(ROWS)) {
    const option = sockopt[name as Name] as SocketOption<Value>;
    const { on, initial, set = [], readOnly, notOn } = row;

    if (!option.supported) {
      it(`${name} is NotSupported here, and the error names it`, () => {
        using socket = KINDS[on]();
        assertThrows(() => socket.getOption(option), Deno.errors.NotSupported, name);
        assertThrows(() => socket.setOption(option, true), Deno.errors.NotSupported, name);
      });
      continue;
    }
    if (Deno.build.os !== "linux") continue;

    const what = `${name} is read${set.length > 0 ? ", set and read again" : ""} on ${on}`;
    itUnless(notPermitted(option, row), what, () => {
      using socket = KINDS[on]();
      const first = socket.getOption(option);
      if (initial !== undefined) assertEquals(first, initial);
      for (const one of set) {
        const [wanted, expected] = Array.isArray(one) ? one : [one, one];
        socket.setOption(option, wanted);
        assertEquals(socket.getOption(option), expected);
      }
    });

    if (readOnly !== undefined) {
      it(`${name} cannot be set`, () => {
        using socket = KINDS[on]();
        const error = assertThrows(() => socket.setOption(option, socket.getOption(option)), Error, name);
        assert(isSocketError(error));
        assertEquals([error.code, error.syscall], [readOnly, "setsockopt"]);
      });
    }
    if (notOn !== undefined) {
      const [kind, code] = notOn;
      it(`${name} is none of ${kind}`, () => {
        using socket = KINDS[kind]();
        const error = assertThrows(() => socket.getOption(option), Error, name);
        assert(isSocketError(error));
        assertEquals([error.code, error.syscall], [code, "getsockopt"]);
      });
    }
  }
});

describe("A value of the wrong kind", () => {
  const rows: readonly (readonly [Name, unknown, new (message?: string) => Error])[] = [
    ["SO_REUSEADDR", 1, TypeError],
    ["SO_REUSEADDR", "yes", TypeError],
    ["SO_REUSEADDR", undefined, TypeError],
    ["SO_RCVBUF", "8192", TypeError],
    ["SO_RCVBUF", 1.5, TypeError],
    ["SO_RCVBUF", NaN, TypeError],
    ["SO_RCVBUF", 8192n, TypeError],
    ["SO_RCVBUF", 2 ** 33, RangeError],
    ["SO_LINGER", 5, TypeError],
    ["SO_LINGER", null, TypeError],
    ["SO_LINGER", { seconds: -1 }, RangeError],
    ["SO_LINGER", { seconds: 0.5 }, TypeError],
    ["TCP_CONGESTION", 5, TypeError],
  ];
  for (const [name, value, errorClass] of rows) {
    it(`for ${name} is refused before the system sees it: ${Deno.inspect(value)}`, () => {
      using socket = Socket.open("inet", "stream");
      const error = assertThrows(
        () => socket.setOption(sockopt[name] as SocketOption<unknown>, value),
        errorClass,
        name,
      );
      assertFalse(isSocketError(error));
    });
  }

  it("that the system refuses is told of with the option's name", () => {
    using socket = Socket.open("inet", "stream");
    const error = assertThrows(() => socket.setOption(sockopt.TCP_CONGESTION, "nosuch"), Error, "TCP_CONGESTION");
    assert(isSocketError(error));
    assertEquals([error.code, error.syscall, error.address], ["ENOENT", "setsockopt", "TCP_CONGESTION"]);
  });

  it("for no option at all is a TypeError", () => {
    using socket = Socket.open("inet", "stream");
    const option = { name: "SO_NOSUCH", supported: true } as SocketOption<number>;
    assertThrows(() => socket.getOption(option), TypeError, "SO_NOSUCH");
    assertThrows(() => socket.setOption(option, 1), TypeError, "SO_NOSUCH");
    assertThrows(() => socket.getOption(undefined as unknown as SocketOption<number>), TypeError);
  });
});

describe("Raw options", () => {
  it("are read and set by number, as numbers or as bytes", () => {
    using socket = Socket.open("inet", "dgram");
    const { level, name } = thisSystem().options.IP_TTL!;
    socket.setRawOption(level, name, 9);
    assertEquals(socket.getOption(sockopt.IP_TTL), 9);
    socket.setRawOption(level, name, Uint8Array.of(10, 0, 0, 0));
    assertEquals(socket.getRawOption(level, name, 4), Uint8Array.of(10, 0, 0, 0));
  });

  it("are as long as the system made them", () => {
    using socket = Socket.open("inet", "dgram");
    const { level, name } = thisSystem().options.SO_RCVBUF!;
    assertEquals(socket.getRawOption(level, name, 64).length, 4);
  });

  it("are told of by number when they fail", () => {
    using socket = Socket.open("inet", "dgram");
    const error = assertThrows(() => socket.getRawOption(0, 9999, 4), Error, "level 0 option 9999");
    assert(isSocketError(error));
    assertEquals(error.code, "ENOPROTOOPT");
    assertThrows(() => socket.setRawOption(0, 9999, 1), Error, "level 0 option 9999");
  });

  it("are refused where they are none", () => {
    using socket = Socket.open("inet", "dgram");
    for (const length of [-1, 1.5, NaN, 65_537]) assertThrows(() => socket.getRawOption(1, 3, length), RangeError);
    for (const value of ["x", null, [1], new Uint8Array(new SharedArrayBuffer(4))]) {
      assertThrows(() => socket.setRawOption(1, 2, value as Uint8Array), TypeError);
    }
  });
});
