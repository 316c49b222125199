import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { systemFor, thisSystem } from "../../ffi/libc/host.ts";
import { linux_aarch64, linux_x86_64 } from "../../ffi/libc/linux.ts";
import { macos_aarch64 } from "../../ffi/libc/macos.ts";
import type { Layout, System } from "../../ffi/libc/system.ts";
import { systems } from "../struct/support.ts";

/** What the rest of the module looks up, puts into words or turns into one of Deno's error classes. */
const NEEDED_ERRORS = [
  ["EACCES", "EADDRINUSE", "EADDRNOTAVAIL", "EAFNOSUPPORT", "EAGAIN", "EALREADY", "EBADF", "EBUSY", "ECANCELED"],
  ["ECONNABORTED", "ECONNREFUSED", "ECONNRESET", "EDESTADDRREQ", "EDOM", "EEXIST", "EFAULT", "EHOSTDOWN"],
  ["EHOSTUNREACH", "EINPROGRESS", "EINTR", "EINVAL", "EIO", "EISCONN", "EISDIR", "ELOOP", "EMFILE", "EMSGSIZE"],
  ["ENAMETOOLONG", "ENETDOWN", "ENETRESET", "ENETUNREACH", "ENFILE", "ENOBUFS", "ENODEV", "ENOENT", "ENOMEM"],
  ["ENOPROTOOPT", "ENOSPC", "ENOSYS", "ENOTCONN", "ENOTDIR", "ENOTEMPTY", "ENOTSOCK", "ENXIO", "EOPNOTSUPP"],
  ["EOVERFLOW", "EPERM", "EPFNOSUPPORT", "EPIPE", "EPROTO", "EPROTONOSUPPORT", "EPROTOTYPE", "EROFS", "ESHUTDOWN"],
  ["ESOCKTNOSUPPORT", "ETIMEDOUT", "ETOOMANYREFS", "EUSERS", "EXDEV"],
].flat();

const NEEDED_RESOLVER_ERRORS = [
  ["EAI_ADDRFAMILY", "EAI_AGAIN", "EAI_BADFLAGS", "EAI_FAIL", "EAI_FAMILY", "EAI_MEMORY", "EAI_NODATA", "EAI_NONAME"],
  ["EAI_OVERFLOW", "EAI_SERVICE", "EAI_SOCKTYPE", "EAI_SYSTEM"],
].flat();

const LEVELS = {
  SO: "SOL_SOCKET",
  IP: "IPPROTO_IP",
  IPV6: "IPPROTO_IPV6",
  TCP: "IPPROTO_TCP",
  UDP: "IPPROTO_UDP",
} as const;

/** sizeof(struct sockaddr_storage), the same everywhere. */
const STORAGE = 128;

/** Offset and width of a member, by its name. */
type Members = Readonly<Record<string, readonly [offset: number, width: number]>>;

/** The structures of a layout with the width of every member the table places. */
function structures(layout: Layout): [name: string, size: number, members: Members][] {
  const { sockaddr_un, msghdr, cmsghdr, addrinfo, group_req, group_source_req, timeval } = layout;
  const { ucred, epoll_event, kevent, mmsghdr } = layout;
  const rows: [string, number, Members][] = [
    ["sockaddr_un", sockaddr_un.size, { path: [sockaddr_un.path, sockaddr_un.pathSize] }],
    ["msghdr", msghdr.size, {
      name: [msghdr.name, 8],
      namelen: [msghdr.namelen, 4],
      iov: [msghdr.iov, 8],
      iovlen: [msghdr.iovlen, msghdr.iovlenSize],
      control: [msghdr.control, 8],
      controllen: [msghdr.controllen, msghdr.controllenSize],
      flags: [msghdr.flags, 4],
    }],
    ["cmsghdr", cmsghdr.size, { len: [0, cmsghdr.lenSize], level: [cmsghdr.level, 4], type: [cmsghdr.type, 4] }],
    ["addrinfo", addrinfo.size, {
      flags: [addrinfo.flags, 4],
      family: [addrinfo.family, 4],
      socktype: [addrinfo.socktype, 4],
      protocol: [addrinfo.protocol, 4],
      addrlen: [addrinfo.addrlen, 4],
      addr: [addrinfo.addr, 8],
      canonname: [addrinfo.canonname, 8],
      next: [addrinfo.next, 8],
    }],
    ["group_req", group_req.size, { interface: [group_req.interface, 4], group: [group_req.group, STORAGE] }],
    ["group_source_req", group_source_req.size, {
      interface: [group_source_req.interface, 4],
      group: [group_source_req.group, STORAGE],
      source: [group_source_req.source, STORAGE],
    }],
    ["timeval", timeval.size, { sec: [0, 8], usec: [timeval.usec, timeval.usecSize] }],
  ];
  if (mmsghdr !== null) rows.push(["mmsghdr", mmsghdr.size, { hdr: [0, msghdr.size], len: [mmsghdr.len, 4] }]);
  if (ucred !== null) {
    rows.push(["ucred", ucred.size, { pid: [ucred.pid, 4], uid: [ucred.uid, 4], gid: [ucred.gid, 4] }]);
  }
  if (epoll_event !== null) {
    rows.push(["epoll_event", epoll_event.size, { events: [0, 4], data: [epoll_event.data, 8] }]);
  }
  if (kevent !== null) {
    rows.push(["kevent", kevent.size, {
      ident: [kevent.ident, 8],
      filter: [kevent.filter, 2],
      flags: [kevent.flags, 2],
      fflags: [kevent.fflags, 4],
      data: [kevent.data, 8],
      udata: [kevent.udata, 8],
    }]);
  }
  return rows;
}

/** Fails where members overlap or stick out of their structure. */
function assertFits(structure: string, size: number, members: Members): void {
  const inOrder = Object.entries(members).sort(([, [a]], [, [b]]) => a - b);
  let end = 0;
  for (const [member, [offset, width]] of inOrder) {
    assert(offset >= end, `${structure}.${member} at ${offset} begins before ${end}, the end of the member before it`);
    end = offset + width;
  }
  assert(end <= size, `The members of ${structure} end at ${end}, its size is ${size}`);
}

function assertDistinct(table: Readonly<Record<string, number>>): void {
  const seen = new Map<number, string>();
  for (const [name, number] of Object.entries(table)) {
    assertEquals(seen.get(number), undefined, `${name} has the number of ${seen.get(number)}, ${number}`);
    seen.set(number, name);
  }
}

function describeTable(system: System): void {
  const { constants, options, layout, errors, resolverErrors, libraries } = system;
  const epoll = system.backend === "epoll";

  it("has every error that the module uses", () => {
    assertEquals(NEEDED_ERRORS.filter((name) => !(name in errors)), []);
    assertEquals(NEEDED_RESOLVER_ERRORS.filter((name) => !(name in resolverErrors)), []);
  });

  it("gives every error one name, and every name a number that fits", () => {
    assertDistinct(errors);
    assertDistinct(resolverErrors);
    for (const [name, number] of Object.entries(errors)) assert(number > 0 && number < 256, `${name} ${number}`);
    for (const [name, number] of Object.entries(resolverErrors)) assertEquals(number < 0, epoll, name);
  });

  it("opens libc by the loader's name first, then by absolute paths, musl's last, none of them twice", () => {
    const [first, ...rest] = libraries;
    assert(first !== undefined && !first.includes("/"));
    if (epoll) assertEquals(rest.pop(), `/lib/ld-musl-${system.name.replace("Linux ", "")}.so.1`);
    assert(rest.length > 0 && rest.every((path) => path.startsWith("/") && path.endsWith(`/${first}`)));
    assertEquals(new Set(libraries).size, libraries.length);
  });

  it("puts every option on the level its name says", () => {
    for (const [name, option] of Object.entries(options)) {
      const prefix = name.slice(0, name.indexOf("_")) as keyof typeof LEVELS;
      if (option !== null) assertEquals(option.level, constants[LEVELS[prefix]], name);
    }
  });

  it("has one number for what is both an option and a control message", () => {
    const numbers: Readonly<Record<string, number>> = { ...constants };
    for (const [name, option] of Object.entries(options)) {
      if (name in numbers) assertEquals(option?.name ?? 0, numbers[name], name);
    }
  });

  it("spreads load by an option that it has, or not at all", () => {
    if (system.reusePortOption !== null) assert(options[system.reusePortOption] !== null);
    assertEquals(options.SO_REUSEPORT_LB !== null, system.reusePortOption === "SO_REUSEPORT_LB");
  });

  it("counts multicast TTL and loop in bytes on BSD alone", () => {
    assertEquals(options.IP_MULTICAST_TTL?.encoding, epoll ? "int" : "byte");
    assertEquals(options.IP_MULTICAST_LOOP?.encoding, epoll ? "boolean" : "byte boolean");
  });

  it("has the structures and constants of its own backend, and not the other's", () => {
    assertEquals([layout.epoll_event !== null, layout.kevent !== null], [epoll, !epoll]);
    assertEquals([constants.EPOLL_CTL_ADD, constants.EPOLLIN, constants.EFD_CLOEXEC].every(Boolean), epoll);
    assertEquals([constants.EPOLL_CTL_ADD, constants.EPOLLIN, constants.EFD_CLOEXEC].some(Boolean), epoll);
    assertEquals([constants.EVFILT_READ, constants.EV_ADD, constants.NOTE_TRIGGER].every(Boolean), !epoll);
    assertEquals([constants.EVFILT_READ, constants.EV_ADD, constants.NOTE_TRIGGER].some(Boolean), !epoll);
    assertEquals(layout.sockaddrHasLength, !epoll);
    assertEquals(system.errnoLocation, epoll ? "__errno_location" : "__error");
  });

  it("has both socket flags or neither", () => {
    assertEquals(constants.SOCK_NONBLOCK === 0, constants.SOCK_CLOEXEC === 0);
  });

  it("has a control message for the destination of a datagram", () => {
    const packetInfo = options.IP_PKTINFO !== null;
    assert(packetInfo || (options.IP_RECVDSTADDR !== null && options.IP_RECVIF !== null));
    assert(options.IPV6_RECVPKTINFO !== null && constants.IPV6_PKTINFO !== 0);
  });

  for (const [name, size, members] of structures(layout)) {
    it(`fits the members of struct ${name} into it without overlap`, () => assertFits(name, size, members));
  }

  it("fills struct sockaddr_un, group_req and group_source_req to the last byte", () => {
    assertEquals(layout.sockaddr_un.path + layout.sockaddr_un.pathSize, layout.sockaddr_un.size);
    assertEquals(layout.group_req.group + STORAGE, layout.group_req.size);
    assertEquals(layout.group_source_req.source + STORAGE, layout.group_source_req.size);
    assertEquals(layout.group_source_req.group, layout.group_req.group);
  });
}

for (const system of systems) {
  describe(`the table of ${system.name}`, () => describeTable(system));
}

describe("the tables together", () => {
  it("call every system by its own name", () => {
    const names = systems.map(({ name }) => name);
    assertEquals(new Set(names).size, names.length);
  });

  it("put variadic arguments on the stack on Apple silicon alone", () => {
    const onStack = systems.filter(({ variadicOnStack }) => variadicOnStack);
    assertEquals(onStack, [macos_aarch64]);
  });

  it("differ between the two Linux architectures in two structures, the libraries and the name alone", () => {
    const { name, libraries, layout: { epoll_event, stat } } = linux_x86_64;
    const layout = { ...linux_aarch64.layout, epoll_event, stat };
    assertEquals({ ...linux_aarch64, name, libraries, layout }, linux_x86_64);
    assertEquals([epoll_event?.size, linux_aarch64.layout.epoll_event?.size], [12, 16]);
  });
});

describe("thisSystem()", () => {
  it("is the table of the running system, always the same", () => {
    assertEquals(thisSystem(), systemFor(Deno.build.os, Deno.build.arch));
    assert(thisSystem() === thisSystem());
  });

  it("names a library that opens and has errno, by the loader's name and by a path", () => {
    const { libraries, errnoLocation } = thisSystem();
    const opens = libraries.filter((path) => {
      try {
        Deno.dlopen(path, { [errnoLocation]: { parameters: [], result: "pointer" } }).close();
        return true;
      } catch {
        return false;
      }
    });
    assertEquals(opens[0], libraries[0]);
    assert(opens.some((path) => path.startsWith("/")), `None of ${libraries.slice(1).join(", ")} opens`);
  });
});

describe("systemFor()", () => {
  it("has a table for Linux, macOS and FreeBSD on either architecture", () => {
    for (const os of ["linux", "darwin", "freebsd"]) {
      for (const arch of ["x86_64", "aarch64"]) assert(systems.includes(systemFor(os, arch)));
    }
  });

  it("refuses a system without a table in a sentence that names it", () => {
    for (
      const [os, arch] of [["windows", "x86_64"], ["android", "aarch64"], ["linux", "riscv64"], [
        "__proto__",
        "",
      ]] as const
    ) {
      assertThrows(() => systemFor(os, arch), Deno.errors.NotSupported, `; this is ${os} ${arch}`);
    }
  });
});
