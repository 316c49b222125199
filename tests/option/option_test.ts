import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { isSocketError, msg, Socket, type SocketOption, sockopt } from "../../mod.ts";
import { thisSystem } from "../../ffi/libc/host.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { noOwnCalls, unknownHere } from "../support/kernel.ts";
import { itUnless } from "../support/skipping.ts";
import { systems } from "../struct/support.ts";
import { KINDS, type Name, type Row, ROWS, type Value } from "./rows.ts";
import { linuxTable } from "../support/systems.ts";

noDescriptorLeaks();

function assertFails(call: () => unknown, name: string, code: string, syscall: string): void {
  const error = assertThrows(call, Error, name);
  assert(isSocketError(error));
  assertEquals([error.code, error.syscall], [code, syscall]);
}

/** Why setting cannot be tried, found out by trying. */
function notPermitted(option: SocketOption<Value>, { on, set = [], privileged }: Row): string | null {
  if (privileged === undefined || !linuxTable) return null;
  using socket = KINDS[on]();
  try {
    for (const one of set) socket.setOption(option, (Array.isArray(one) ? one[0] : one) as Value);
    return null;
  } catch (error) {
    if (isSocketError(error) && error.code === "EPERM") return "setting it needs a capability";
    throw error;
  }
}

/** Why an option cannot be tried, or null. */
function missing(name: Name): string | null {
  const { on, set = [], unreadable } = ROWS[name];
  const option = sockopt[name] as SocketOption<Value>;
  if (!option.supported) return `no ${name} here`;
  if (!linuxTable) return null;
  return unknownHere(name, () => {
    using socket = KINDS[on]();
    const value = [set[0]].flat()[0];
    try {
      if (value !== undefined) socket.setOption(option, value);
      socket.getOption(option);
    } catch (error) {
      if (!(isSocketError(error) && ["EPERM", unreadable].includes(error.code))) throw error;
    }
  });
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
    const { on, initial, set = [], readOnly, unreadable, notOn } = row;

    if (!option.supported) {
      it(`${name} is NotSupported here, and the error names it`, () => {
        using socket = KINDS[on]();
        assertThrows(() => socket.getOption(option), Deno.errors.NotSupported, name);
        assertThrows(() => socket.setOption(option, true), Deno.errors.NotSupported, name);
      });
      continue;
    }
    if (!linuxTable) continue;

    const what = `${name} is read${set.length > 0 ? ", set and read again" : ""} on ${on}`;
    const unknown = missing(name as Name);
    itUnless(unknown ?? notPermitted(option, row), what, () => {
      using socket = KINDS[on]();
      if (unreadable !== undefined) assertFails(() => socket.getOption(option), name, unreadable, "getsockopt");
      else if (initial !== undefined) assertEquals(socket.getOption(option), initial);
      else socket.getOption(option);
      for (const one of set) {
        const [wanted, expected] = Array.isArray(one) ? one : [one, one];
        socket.setOption(option, wanted);
        if (unreadable === undefined) assertEquals(socket.getOption(option), expected);
      }
    });

    if (readOnly !== undefined) {
      itUnless(unknown, `${name} cannot be set`, () => {
        using socket = KINDS[on]();
        const value = unreadable === undefined ? socket.getOption(option) : 0;
        assertFails(() => socket.setOption(option, value), name, readOnly, "setsockopt");
      });
    }
    if (notOn !== undefined) {
      const [kind, code] = notOn;
      it(`${name} is none of ${kind}`, () => {
        using socket = KINDS[kind]();
        assertFails(() => socket.getOption(option), name, code, "getsockopt");
      });
    }
  }
});

/** Why this kernel may lack options of the table, or null: the newest are of Linux 6.5. */
function incompleteKernel(): string | null {
  if (!linuxTable) return "Linux alone has a release to compare";
  const [major = 0, minor = 0] = Deno.osRelease().split(".").map((part) => parseInt(part));
  return major > 6 || (major === 6 && minor >= 5) ? noOwnCalls : `this kernel is ${major}.${minor}`;
}

describe("A kernel as new as the table", () => {
  itUnless(incompleteKernel(), "knows every option", () => {
    const unknown = (Object.keys(ROWS) as Name[]).filter((name) => sockopt[name].supported && missing(name) !== null);
    assertEquals(unknown, []);
  });
});

describe("Options that are not plain numbers in C", () => {
  itUnless(missing("IP_UNICAST_IF"), "have the interface's index in the right byte order", () => {
    using socket = Socket.open("inet", "dgram");
    socket.setOption(sockopt.IP_UNICAST_IF, 1);
    const { level, name } = thisSystem().options.IP_UNICAST_IF!;
    assertEquals(socket.getRawOption(level, name, 4), Uint8Array.of(0, 0, 0, 1));
  });

  itUnless(missing("SO_COOKIE"), "give every socket a cookie of its own, and the same each time", () => {
    using one = Socket.open("inet", "dgram");
    using other = Socket.open("inet", "dgram");
    const cookie = one.getOption(sockopt.SO_COOKIE);
    assertEquals([typeof cookie, one.getOption(sockopt.SO_COOKIE)], ["bigint", cookie]);
    assert(other.getOption(sockopt.SO_COOKIE) !== cookie);
  });

  itUnless(missing("IP_MTU"), "return the MTU of the path to a connected peer", async () => {
    using socket = Socket.open("inet", "dgram");
    await socket.connect({ transport: "udp", hostname: "127.0.0.1", port: 9 });
    assertEquals(socket.getOption(sockopt.IP_MTU), 65_535);
  });
});

describe("msg", () => {
  it("has the numbers of the running system, and undefined for what it lacks", () => {
    const { constants } = thisSystem();
    for (const name of Object.keys(msg) as (keyof typeof msg)[]) {
      assertEquals(msg[name], constants[name] === 0 ? undefined : constants[name], name);
    }
    assertEquals(Object.keys(msg).length, 10);
  });
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
    ["SO_MAX_PACING_RATE", -1, RangeError],
    ["SO_MAX_PACING_RATE", NaN, TypeError],
    ["SO_MAX_PACING_RATE", 1n, TypeError],
    ["SO_COOKIE", 1, TypeError],
    ["IP_UNICAST_IF", -1, RangeError],
    ["IP_LOCAL_PORT_RANGE", 2 ** 32, RangeError],
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

  it("that the system refuses is reported with the option's name", () => {
    using socket = Socket.open("inet", "stream");
    const error = assertThrows(() => socket.setOption(sockopt.TCP_CONGESTION, "nosuch"), Error, "TCP_CONGESTION");
    assert(isSocketError(error));
    assertEquals([error.code, error.syscall, error.address], ["ENOENT", "setsockopt", "TCP_CONGESTION"]);
  });

  it("for an unknown option is a TypeError", () => {
    using socket = Socket.open("inet", "stream");
    const option = { name: "SO_NOSUCH", supported: true } as SocketOption<number>;
    assertThrows(() => socket.getOption(option), TypeError, "SO_NOSUCH");
    assertThrows(() => socket.setOption(option, 1), TypeError, "SO_NOSUCH");
    assertThrows(() => socket.getOption(undefined as unknown as SocketOption<number>), TypeError);
  });
});

/** A struct sockaddr_in of Linux for 239.1.2.3. */
const GROUP = Uint8Array.of(2, 0, 0, 0, 239, 1, 2, 3);

/** MCAST_JOIN_SOURCE_GROUP of that group from 127.0.0.9 through lo. */
function joinFromSource(socket: Socket): void {
  const join = new Uint8Array(264);
  join[0] = 1;
  join.set(GROUP, 8);
  join.set([2, 0, 0, 0, 127, 0, 0, 9], 136);
  socket.setRawOption(0, 46, join);
}

/** Why no group can be joined so, or null. */
const noSourceGroups = !linuxTable ? "numbers of Linux" : unknownHere("MCAST_JOIN_SOURCE_GROUP", () => {
  using socket = Socket.open("inet", "dgram");
  joinFromSource(socket);
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

  it("are reported by number when they fail", () => {
    using socket = Socket.open("inet", "dgram");
    const error = assertThrows(() => socket.getRawOption(0, 9999, 4), Error, "level 0 option 9999");
    assert(isSocketError(error));
    assertEquals(error.code, "ENOPROTOOPT");
    assertThrows(() => socket.setRawOption(0, 9999, 1), Error, "level 0 option 9999");
  });

  itUnless(noSourceGroups, "read what they are given where the system does", () => {
    using socket = Socket.open("inet", "dgram");
    joinFromSource(socket);
    // MCAST_MSFILTER asked about the group.
    const filter = new Uint8Array(272);
    filter[0] = 1;
    filter.set(GROUP, 8);
    filter[140] = 1;
    const answer = socket.getRawOption(0, 48, filter);
    assertEquals([answer[136], answer[140], answer.length], [1, 1, 272]);
    assertEquals(answer.slice(148, 152), Uint8Array.of(127, 0, 0, 9));
    assertEquals(filter[144], 0);
  });

  it("with memory addresses are refused", () => {
    using socket = Socket.open("inet", "stream");
    assertThrows(() => socket.getRawOption(6, 35, new Uint8Array(64)), TypeError, "memory addresses");
    for (const value of [new Uint8Array(new SharedArrayBuffer(4)), "4", null]) {
      assertThrows(() => socket.getRawOption(1, 3, value as Uint8Array));
    }
    assertThrows(() => socket.getRawOption(1, 3, new Uint8Array(65_537)), RangeError);
  });

  it("are refused if they are invalid", () => {
    using socket = Socket.open("inet", "dgram");
    for (const length of [-1, 1.5, NaN, 65_537]) assertThrows(() => socket.getRawOption(1, 3, length), RangeError);
    for (const value of ["x", null, [1], new Uint8Array(new SharedArrayBuffer(4))]) {
      assertThrows(() => socket.setRawOption(1, 2, value as Uint8Array), TypeError);
    }
  });
});
