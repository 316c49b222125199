import { libc } from "../libc/libc.ts";
import { isSocketError } from "../libc/socket_error.ts";
import type { Descriptor } from "../io/descriptor.ts";
import { AGAIN, type Again } from "../io/operation.ts";
import { optionNumber, readKnownOption, writeOption } from "../option/option.ts";
import { sockopt } from "../option/sockopt.ts";
import { setForBoth } from "./both_families.ts";
import type { IpFamily } from "./families.ts";

/** SOF_TIMESTAMPING_ flags of <linux/net_tstamp.h>: when the driver gets a packet, in software, with a number for each
 * datagram and without its bytes. */
const TX_SOFTWARE = 1 << 1;
const SOFTWARE = 1 << 4;
const OPT_ID = 1 << 7;
const OPT_TSONLY = 1 << 11;
/** All flags that ask for a timestamp of what is sent: TX_HARDWARE, TX_SOFTWARE, TX_SCHED, TX_ACK. */
const TRANSMIT = 1 << 0 | TX_SOFTWARE | 1 << 8 | 1 << 9;

/** Has the kernel keep the errors of datagrams that were sent.
 *
 * @throws {Deno.errors.NotSupported} on a system without IP_RECVERR
 */
export function enableErrors(fd: number, family: IpFamily): void {
  setForBoth(fd, family, sockopt.IP_RECVERR, sockopt.IPV6_RECVERR, true);
}

/** Has the kernel keep the time at which each datagram leaves.
 *
 * @throws {Deno.errors.NotSupported} on a system without SO_TIMESTAMPING
 */
export function enableSentTimestamps(fd: number): void {
  const { constants, name } = libc().system;
  if (constants.SO_TIMESTAMPING === 0) {
    throw new Deno.errors.NotSupported(`timestamps: { transmit: true }: ${name} has no option SO_TIMESTAMPING`);
  }
  const flags = Int32Array.of(TX_SOFTWARE | SOFTWARE | OPT_ID | OPT_TSONLY);
  writeOption(fd, constants.SOL_SOCKET, constants.SO_TIMESTAMPING, new Uint8Array(flags.buffer), "SO_TIMESTAMPING");
}

/** What a socket has the kernel report. */
export interface Reports {
  readonly errors: boolean;
  readonly sentTimestamps: boolean;
}

/** Asks the kernel what it reports for a socket. */
export function reportsOf(fd: number, family: IpFamily): Reports {
  const { constants } = libc().system;
  const option = family === "inet" ? "IP_RECVERR" : "IPV6_RECVERR";
  if (!sockopt[option].supported) return { errors: false, sentTimestamps: false };
  const { level, name } = optionNumber(option);
  const errors = readKnownOption(fd, level, name, 4, option);
  const { SOL_SOCKET, SO_TIMESTAMPING } = constants;
  const flags = readKnownOption(fd, SOL_SOCKET, SO_TIMESTAMPING, 8, "SO_TIMESTAMPING");
  return {
    errors: errors !== null && errors[0] !== 0,
    sentTimestamps: flags !== null && (new DataView(flags.buffer).getUint32(0, true) & TRANSMIT) !== 0,
  };
}

/** Makes a receive as `unlessReported` does. Where it would block, what the kernel reports is taken too: a poller would go on
 * reporting a queue that is not empty. */
export function whileReporting<T>(descriptor: Descriptor, receive: () => T | Again): T | Again {
  const result = unlessReported(descriptor, receive);
  if (result === AGAIN) descriptor.takeReports?.(null);
  return result;
}

/** Calls repeated for errors of earlier datagrams: each takes one away, and new ones may arrive meanwhile. */
const MOST_REPEATED = 64;

/** Makes a call of a socket again as long as it fails with the error of a datagram that was sent earlier. */
export function unlessReported<T>(descriptor: Descriptor, call: () => T): T {
  for (let repeated = 0;; repeated++) {
    try {
      return call();
    } catch (error) {
      const { takeReports } = descriptor;
      if (takeReports === null || !isSocketError(error) || repeated === MOST_REPEATED) throw error;
      if (!takeReports(error)) throw error;
    }
  }
}
