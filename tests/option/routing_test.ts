import { assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { thisSystem } from "../../ffi/libc/host.ts";
import { controlMayChooseDestination, mayChooseDestination } from "../../ffi/option/routing.ts";
import { itUnless } from "../support/skipping.ts";
import { linuxTable } from "../support/systems.ts";

const notLinux = linuxTable ? null : "the numbers are Linux's";

/** The numbers from 0 to 99 of which a question is true. */
function numbersOf(question: (number: number) => boolean): number[] {
  return Array.from({ length: 100 }, (_, number) => number).filter(question);
}

/** From `first` to `last`. */
function through(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

describe("Raw options that may choose a destination", () => {
  const { IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP, IPPROTO_UDP, SOL_SOCKET } = thisSystem().constants;
  const IPPROTO_SCTP = 132;

  itUnless(notLinux, "are those of IPv4 with a route, a header or a policy, and numbers that linux/in.h lacks", () => {
    // IP_HDRINCL, IP_OPTIONS, IP_ROUTER_ALERT, IP_PKTOPTIONS, IP_IPSEC_POLICY, IP_XFRM_POLICY.
    const known = [3, 4, 5, 9, 16, 17];
    const lacking = [0, ...through(27, 31), ...through(52, 99)];
    assertEquals(
      numbersOf((name) => mayChooseDestination(IPPROTO_IP, name)),
      [...known, ...lacking].sort((a, b) => a - b),
    );
  });

  itUnless(notLinux, "are those of IPv6 with a route, a header or a policy, and numbers that linux/in6.h lacks", () => {
    // IPV6_2292HOPOPTS, 2292DSTOPTS, 2292RTHDR, 2292PKTOPTIONS, NEXTHOP, AUTHHDR, FLOWINFO, ROUTER_ALERT and its
    // isolation, FLOWLABEL_MGR, IPSEC_POLICY, XFRM_POLICY, HDRINCL, HOPOPTS, RTHDRDSTOPTS, RTHDR, DSTOPTS.
    const known = [3, 4, 5, 6, 9, 10, 11, 22, 30, 32, 34, 35, 36, 54, 55, 57, 59];
    const lacking = [0, ...through(12, 15), ...through(37, 41), 63, 64, 65, 68, 69, 71, ...through(79, 99)];
    assertEquals(
      numbersOf((name) => mayChooseDestination(IPPROTO_IPV6, name)),
      [...known, ...lacking].sort((a, b) => a - b),
    );
  });

  itUnless(notLinux, "are all of a level that is not known, and none of the socket's, TCP's and UDP's own", () => {
    for (const level of [SOL_SOCKET, IPPROTO_TCP, IPPROTO_UDP]) {
      assertEquals(numbersOf((name) => mayChooseDestination(level, name)), []);
    }
    assertEquals(numbersOf((name) => mayChooseDestination(IPPROTO_SCTP, name)).length, 100);
  });

  itUnless(notLinux, "as control messages are all but those of source, interface, TTL, class and segments", () => {
    const harmless = (level: number) => numbersOf((type) => !controlMayChooseDestination(level, type));
    assertEquals(harmless(IPPROTO_IP), [1, 2, 8]);
    assertEquals(harmless(IPPROTO_IPV6), [2, 8, 50, 52, 62, 67]);
    assertEquals(harmless(SOL_SOCKET).length, 100);
    assertEquals([harmless(IPPROTO_UDP), harmless(IPPROTO_TCP), harmless(IPPROTO_SCTP)], [[], [], []]);
    const UDP_SEGMENT = 103;
    assertEquals([102, 103, 104].map((type) => controlMayChooseDestination(IPPROTO_UDP, type)), [true, false, true]);
    assertEquals(controlMayChooseDestination(IPPROTO_IP, UDP_SEGMENT), true);
  });
});
