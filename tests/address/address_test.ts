import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  decodeInet,
  decodeNet,
  encodeInet,
  formatAddress,
  formatHost,
  isMulticast,
  parseHost,
  parsePort,
} from "../../ffi/address/address.ts";
import { interfaceIndex, interfaceName } from "../../ffi/address/interface.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { itUnless } from "../support/skipping.ts";

noDescriptorLeaks();

const notLinux = Deno.build.os === "linux" ? null : "loopback has another name here";

describe("parsePort()", () => {
  it("takes numbers and digits from 0 to 65535", () => {
    for (const [given, port] of [[0, 0], [1, 1], [65_535, 65_535], ["0", 0], ["8080", 8080], ["065", 65]] as const) {
      assertEquals(parsePort(given), port);
    }
    // FFI takes no -0 for an integer.
    assert(Object.is(parsePort(-0), 0));
  });

  it("accepts undefined if there is a default", () => {
    assertEquals([parsePort(undefined, 7), parsePort(null, 7)], [7, 7]);
    assertThrows(() => parsePort(undefined), TypeError, "undefined");
    assertThrows(() => parsePort(null), TypeError, "null");
  });

  it("refuses anything else and quotes it", () => {
    for (const port of [NaN, Infinity, 1.5, "", "x", "1.5", "1e3x", true, [], {}, Symbol("port")]) {
      assertThrows(() => parsePort(port), TypeError, "Invalid port");
    }
    for (const port of [-1, 65_536, 1e9, "65536"]) {
      assertThrows(() => parsePort(port), RangeError, `Invalid port (out of range): ${port}`);
    }
  });
});

describe("parseHost()", () => {
  it("distinguishes addresses from names", () => {
    for (const name of ["localhost", "", "1.2.3", "1.2.3.4.5", "256.1.1.1", "::1::", "[::1", "g::1", "01.2.3.4"]) {
      assertEquals(parseHost(name, 0), null, name);
    }
  });

  it("reads both families, with or without brackets", () => {
    assertEquals(parseHost("127.0.0.1", 80), {
      family: "inet",
      address: Uint8Array.of(127, 0, 0, 1),
      port: 80,
      scopeId: 0,
    });
    const loopback = new Uint8Array(16);
    loopback[15] = 1;
    for (const text of ["::1", "[::1]", "0:0:0:0:0:0:0:1"]) {
      assertEquals(parseHost(text, 80), { family: "inet6", address: loopback, port: 80, scopeId: 0 });
    }
  });

  itUnless(notLinux, "reads a zone as an index or a name, and gives it back as a name", () => {
    for (const text of ["fe80::1%lo", "fe80::1%1", "[fe80::1%lo]"]) {
      const host = parseHost(text, 0)!;
      assertEquals([host.scopeId, formatHost(host)], [1, "fe80::1%lo"]);
    }
    assertThrows(() => parseHost("fe80::1%nosuch0", 0), Deno.errors.NotFound, '"nosuch0"');
    // An unused index is kept as it is.
    assertEquals(formatHost(parseHost("fe80::1%99999", 0)!), "fe80::1%99999");
  });
});

describe("Addresses in text", () => {
  it("are host and port, or a path", () => {
    const net = (hostname: string) => ({ transport: "tcp", hostname, port: 80 }) as const;
    assertEquals(formatAddress(net("127.0.0.1")), "127.0.0.1:80");
    assertEquals(formatAddress(net("::1")), "[::1]:80");
    assertEquals(formatAddress(net("localhost")), "localhost:80");
    const unix = (path: string | null) => ({ transport: "unix", path }) as const;
    assertEquals(formatAddress(unix("/run/socket")), "/run/socket");
    assertEquals(formatAddress(unix("\0name")), "@name");
    assertEquals([formatAddress(unix(null)), formatAddress(unix(""))], ["(unnamed)", "(unnamed)"]);
  });
});

describe("A sockaddr", () => {
  for (const text of ["0.0.0.0", "127.0.0.1", "255.255.255.255", "::", "::1", "2001:db8::7", "::ffff:1.2.3.4"]) {
    it(`of ${text} reads back as it was written`, () => {
      for (const port of [0, 1, 255, 256, 65_535]) {
        const sockaddr = encodeInet(parseHost(text, port)!);
        assertEquals(decodeNet("udp", sockaddr), { transport: "udp", hostname: text, port });
        assertEquals(decodeInet(sockaddr), parseHost(text, port));
        const shifted = new Uint8Array(200);
        shifted.set(sockaddr, 40);
        assertEquals(decodeNet("tcp", shifted, 40), { transport: "tcp", hostname: text, port });
      }
    });
  }

  it("of very many senders is decoded right, though few are cached", () => {
    for (let round = 0; round < 2; round++) {
      for (let index = 0; index < 3000; index++) {
        const hostname = `10.${index >> 8}.${index & 255}.${255 - (index & 127)}`;
        assertEquals(decodeNet("udp", encodeInet(parseHost(hostname, index)!)).hostname, hostname);
      }
    }
  });

  it("of no IP address reads as the unspecified one", () => {
    assertEquals(decodeNet("udp", new Uint8Array(128)), { transport: "udp", hostname: "0.0.0.0", port: 0 });
    assertEquals(decodeInet(new Uint8Array(128)), null);
  });
});

describe("isMulticast()", () => {
  it("is true for the groups of both families and for nothing else", () => {
    for (const text of ["224.0.0.0", "239.255.255.255", "ff00::", "ff02::1", "ffff::"]) {
      assertEquals(isMulticast(parseHost(text, 0)!), true, text);
    }
    for (const text of ["223.255.255.255", "240.0.0.0", "0.0.0.0", "fe80::1", "::", "::ffff:239.1.1.1"]) {
      assertFalse(isMulticast(parseHost(text, 0)!), text);
    }
  });
});

describe("An interface", () => {
  itUnless(notLinux, "is known by its name, its index and its address", () => {
    assertEquals([interfaceIndex("lo"), interfaceIndex(1), interfaceIndex("127.0.0.1")], [1, 1, 1]);
    assertEquals(interfaceName(1), "lo");
    assertEquals(interfaceName(99_999), "99999");
  });

  it("is left to the system by nothing, 0 or the unspecified address", () => {
    assertEquals([interfaceIndex(undefined), interfaceIndex(0), interfaceIndex("0.0.0.0")], [0, 0, 0]);
  });
});
