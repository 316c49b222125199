import { assert, assertEquals, assertFalse, assertNotEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { formatIPv4, formatIPv6, isMulticastIPv4, isMulticastIPv6, parseIPv4, parseIPv6 } from "../../ffi/struct/ip.ts";
import { generator, randomBytes } from "../support/random.ts";
import { hex } from "./support.ts";

describe("parseIPv4()", () => {
  it("reads a dotted quad in network order", () => {
    assertEquals(parseIPv4("127.0.0.1"), hex("7f000001"));
    assertEquals(parseIPv4("0.0.0.0"), hex("00000000"));
    assertEquals(parseIPv4("255.255.255.255"), hex("ffffffff"));
    assertEquals(parseIPv4("239.255.3.70"), hex("efff0346"));
  });

  for (
    const text of [
      "",
      "1",
      "1.2.3",
      "1.2.3.",
      "1.2.3.4.",
      "1.2.3.4.5",
      ".1.2.3.4",
      "1..3.4",
      "256.0.0.1",
      "1.2.3.1000",
      "01.2.3.4",
      "1.2.3.00",
      "0x7f.0.0.1",
      "127.1",
      "2130706433",
      " 1.2.3.4",
      "1.2.3.4 ",
      "1.2.3.4\n",
      "1.2.3.4\0",
      "1.2.+3.4",
      "1.2.-3.4",
      "1.2.3.٤",
      "1,2,3,4",
      "::1",
    ]
  ) {
    it(`refuses ${JSON.stringify(text)}`, () => assertEquals(parseIPv4(text), null));
  }
});

describe("formatIPv4()", () => {
  it("writes a dotted quad from an offset", () => {
    assertEquals(formatIPv4(hex("c0a80001")), "192.168.0.1");
    assertEquals(formatIPv4(hex("ffff 0a00ff09 ff"), 2), "10.0.255.9");
  });

  it("writes what parseIPv4() reads back, whatever the address", () => {
    const next = generator(4);
    for (let round = 0; round < 2000; round++) {
      const bytes = randomBytes(next, 4);
      assertEquals(parseIPv4(formatIPv4(bytes)), bytes);
    }
  });
});

describe("parseIPv6()", () => {
  const vectors: readonly [string, string][] = [
    ["::", "00*16"],
    ["::1", "00*15 01"],
    ["1::", "0001 00*14"],
    ["0:0:0:0:0:0:0:1", "00*15 01"],
    ["1:2:3:4:5:6:7:8", "0001 0002 0003 0004 0005 0006 0007 0008"],
    ["1:2:3:4:5:6:7::", "0001 0002 0003 0004 0005 0006 0007 0000"],
    ["::2:3:4:5:6:7:8", "0000 0002 0003 0004 0005 0006 0007 0008"],
    ["1:2::7:8", "0001 0002 00*8 0007 0008"],
    ["2001:DB8::ABCD", "20010db8 00*10 abcd"],
    ["0001:0020:0300:4000::", "0001 0020 0300 4000 00*8"],
    ["ff02::fb", "ff02 00*13 fb"],
    ["::ffff:192.0.2.128", "00*10 ffff c0000280"],
    ["::1.2.3.4", "00*12 01020304"],
    ["64:ff9b::192.0.2.33", "0064ff9b 00*8 c0000221"],
    ["1:2:3:4:5:6:7.8.9.10", "0001 0002 0003 0004 0005 0006 0708090a"],
  ];
  for (const [text, bytes] of vectors) {
    it(`reads "${text}"`, () => assertEquals(parseIPv6(text), { bytes: hex(bytes), zone: "" }));
  }

  it("reads the zone behind the percent sign", () => {
    assertEquals(parseIPv6("fe80::1%eth0"), { bytes: hex("fe80 00*13 01"), zone: "eth0" });
    assertEquals(parseIPv6("fe80::%2"), { bytes: hex("fe80 00*14"), zone: "2" });
    assertEquals(parseIPv6("::%br-1:0.5"), { bytes: hex("00*16"), zone: "br-1:0.5" });
  });

  for (
    const text of [
      "",
      ":",
      ":::",
      "1",
      "1:",
      ":1",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:",
      ":2:3:4:5:6:7:8",
      "1:2:3:4:5:6:7:8:9",
      "1:2:3:4:5:6:7:8:",
      "1:2:3:4:5:6:7:8::",
      "::1:2:3:4:5:6:7:8",
      "1:2:3:4::5:6:7:8",
      "1::2::3",
      "::1:",
      "1:::2",
      "12345::",
      "g::",
      "::-1",
      " ::1",
      "::1 ",
      "[::1]",
      "::1/64",
      "1.2.3.4",
      "::1.2.3",
      "::1.2.3.4.5",
      "::1.2.3.256",
      "::01.2.3.4",
      "::1.2.3.4:5",
      "1:2:3:4:5:6:7:1.2.3.4",
      "1:2:3:4:5:6::1.2.3.4",
      "1:2:3:4:5:6::7:1.2.3.4",
      "::.1.2.3",
      "fe80::1%",
      "fe80::1%eth 0",
      "fe80::1%eth0\0",
      "fe80::1%a%b",
      "%eth0",
    ]
  ) {
    it(`refuses ${JSON.stringify(text)}`, () => assertEquals(parseIPv6(text), null));
  }
});

describe("formatIPv6()", () => {
  // Section by section of RFC 5952: what may be written in many ways, and the one way to write it.
  const vectors: readonly [string, string, string][] = [
    ["drops leading zeros (4.1)", "2001:0db8::0001", "2001:db8::1"],
    ["shortens as much as it can (4.2.1)", "2001:db8:0:0:0:0:2:1", "2001:db8::2:1"],
    ["does not shorten a single group (4.2.2)", "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["shortens the longest run (4.2.3)", "2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["shortens the first of equal runs (4.2.3)", "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["writes lower case (4.3)", "2001:DB8::ABCD:EF01", "2001:db8::abcd:ef01"],
    ["writes mapped addresses with a dotted quad (5)", "::ffff:c000:0201", "::ffff:192.0.2.1"],
    ["writes the unspecified address", "0:0:0:0:0:0:0:0", "::"],
    ["writes the loopback address", "0:0:0:0:0:0:0:1", "::1"],
    ["writes a run at the end", "fe80:0:0:0:0:0:0:0", "fe80::"],
    ["writes a run of two at the end", "1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"],
    ["writes a run of two at the start", "0:0:3:4:5:6:7:8", "::3:4:5:6:7:8"],
    ["writes lone zero groups at both ends", "0:2:3:4:5:6:7:0", "0:2:3:4:5:6:7:0"],
    ["writes no dotted quad for what is not mapped", "::1.2.3.4", "::102:304"],
    ["writes no dotted quad for a longer run of zeros", "::fffe:1.2.3.4", "::fffe:102:304"],
    ["writes no dotted quad where ffff stands elsewhere", "::ffff:0:1.2.3.4", "::ffff:0:102:304"],
    ["writes the mapped unspecified address", "::ffff:0.0.0.0", "::ffff:0.0.0.0"],
  ];
  for (const [rule, given, expected] of vectors) {
    it(rule, () => assertEquals(formatIPv6(parseIPv6(given)!.bytes), expected));
  }

  it("writes from an offset", () => {
    assertEquals(formatIPv6(hex("ff*8 20010db8 00*11 01 ff"), 8), "2001:db8::1");
  });

  it("writes what parseIPv6() reads back, whatever the address", () => {
    const next = generator(6);
    for (let round = 0; round < 4000; round++) {
      const bytes = randomBytes(next, 16);
      // Zeros are what shortening is about, so half of all groups have none but them.
      for (let group = 0; group < 8; group++) if (next(2) === 0) bytes.fill(0, group * 2, group * 2 + 2);
      const text = formatIPv6(bytes);
      assertEquals(parseIPv6(text), { bytes, zone: "" }, text);
    }
  });

  it("agrees with how URLs write addresses, but for mapped ones", () => {
    const next = generator(66);
    for (let round = 0; round < 1000; round++) {
      const bytes = randomBytes(next, 16);
      for (let group = 0; group < 8; group++) if (next(3) > 0) bytes.fill(0, group * 2, group * 2 + 2);
      const long = Array.from(
        { length: 8 },
        (_, group) => (bytes[group * 2]! << 8 | bytes[group * 2 + 1]!).toString(16),
      );
      const text = formatIPv6(bytes);
      if (!text.startsWith("::ffff:")) assertEquals(`[${text}]`, new URL(`http://[${long.join(":")}]/`).hostname);
    }
  });
});

describe("parseIPv4() and parseIPv6()", () => {
  it("never read the same text", () => {
    const next = generator(46);
    const alphabet = "0123456789abf:.%";
    let read = 0;
    for (let round = 0; round < 20_000; round++) {
      const text = Array.from({ length: 1 + next(12) }, () => alphabet[next(alphabet.length)]).join("");
      const v4 = parseIPv4(text);
      const v6 = parseIPv6(text);
      assert(v4 === null || v6 === null, text);
      if (v6 === null) continue;
      read++;
      assertEquals(parseIPv6(formatIPv6(v6.bytes))!.bytes, v6.bytes, text);
    }
    assertNotEquals(read, 0);
  });
});

describe("isMulticastIPv4()", () => {
  it("is true of 224.0.0.0 to 239.255.255.255 alone", () => {
    assert(isMulticastIPv4(hex("e0000000")));
    assert(isMulticastIPv4(hex("efffffff")));
    assertFalse(isMulticastIPv4(hex("dfffffff")));
    assertFalse(isMulticastIPv4(hex("f0000000")));
  });
});

describe("isMulticastIPv6()", () => {
  it("is true of ff00::/8 alone", () => {
    assert(isMulticastIPv6(hex("ff00 00*14")));
    assert(isMulticastIPv6(hex("ff02 00*13 01")));
    assertFalse(isMulticastIPv6(hex("feff 00*14")));
    assertFalse(isMulticastIPv6(hex("00ff 00*14")));
  });
});
