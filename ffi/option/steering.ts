import { libc } from "../libc/libc.ts";
import { copyOptions, optionsShape } from "../validate/options.ts";
import { quote } from "../validate/quote.ts";
import { attachFilter, type BpfInstruction } from "./filter.ts";

/** Which socket of a reuse-port group receives what arrives: "cpu", the one whose number is that of the processor that
 * took the packet in; or by a byte of a datagram, modulo a number of sockets.
 *
 * The sockets of a group are numbered from 0 in the order of their bind(2), or listen(2), whichever process they belong
 * to. When one is closed, the last one takes its number, and a new socket comes last. A server that is restarted socket by
 * socket therefore has another order afterwards: where the numbers matter, start the sockets of a group anew together, or
 * number them in one process and hand them to others. The rule belongs to the group, stays while a socket of the group is
 * open, and the rule set last counts. A number that no socket has, as on a machine with more processors than sockets,
 * leaves the choice to the system's hash.
 *
 * @example
 * ```ts
 * import { listenDatagram, type Steering } from "@berkeley/sockets";
 *
 * const steer: Steering = { byte: 0, modulo: 2 };
 * if (Deno.build.os === "linux") {
 *   const group = { transport: "udp", hostname: "127.0.0.1", reusePort: true, steer } as const;
 *   using even = listenDatagram(group);
 *   using odd = listenDatagram({ ...group, port: even.addr.port });
 *   using sender = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
 *   await sender.send(Uint8Array.of(7), even.addr);
 *   console.log((await odd.receive())[0]); // Uint8Array(1) [ 7 ]
 * }
 * ```
 */
export type Steering = "cpu" | ByteSteering;

/** Steering by one byte of what arrives.
 *
 * @example
 * ```ts
 * import type { ByteSteering } from "@berkeley/sockets";
 *
 * // The first byte of a QUIC connection id of short headers, over four sockets.
 * const byConnection: ByteSteering = { byte: 1, modulo: 4 };
 * console.log(byConnection.modulo); // 4
 * ```
 */
export interface ByteSteering {
  /** Which byte of the payload, from 0 to 65,534. A datagram that is shorter goes to socket 0. */
  byte: number;
  /** Number of sockets, from 1 to 256: the byte modulo this is the number of the socket. */
  modulo: number;
}

const SHAPE = optionsShape<ByteSteering>(
  "steering settings",
  '"cpu" or { byte, modulo }',
  { byte: "any", modulo: "any" },
  "steer",
);

const MOST_BYTE = 65_534;
const MOST_MODULO = 256;

// Operations of classic BPF: <linux/bpf_common.h>.
const LOAD_WORD = 0x20; // BPF_LD | BPF_W | BPF_ABS
const LOAD_BYTE = 0x30; // BPF_LD | BPF_B | BPF_ABS
const MODULO = 0x94; // BPF_ALU | BPF_MOD | BPF_K
const RETURN = 0x16; // BPF_RET | BPF_A

/** SKF_AD_OFF + SKF_AD_CPU of <linux/filter.h>: the processor that the program runs on. */
const PROCESSOR = 0xffff_f000 + 36;

function requireMember(name: keyof ByteSteering, value: unknown, least: number, most: number): number {
  if (typeof value !== "number" || !Number.isInteger(value)) {
    throw new TypeError(`Invalid steer.${name}: ${quote(value)}, expected a whole number`);
  }
  if (value >= least && value <= most) return value;
  throw new RangeError(`Invalid steer.${name}: ${value}, expected ${least} to ${most}`);
}

/** Copies and checks steering, before anything is opened.
 *
 * @throws {TypeError} for what is no steering, and without reusePort
 * @throws {RangeError} for a number outside its range
 * @throws {Deno.errors.NotSupported} on a system without SO_ATTACH_REUSEPORT_CBPF
 */
export function copySteering(given: Steering, reusePort: boolean): Steering {
  const steering = given === "cpu" ? given : copyByteSteering(given);
  if (!reusePort) throw new TypeError("steer is for the sockets of a reuse-port group: pass reusePort: true with it");
  const { constants, name } = libc().system;
  if (constants.SO_ATTACH_REUSEPORT_CBPF !== 0) return steering;
  throw new Deno.errors.NotSupported(`steer: ${name} has no option SO_ATTACH_REUSEPORT_CBPF`);
}

function copyByteSteering(given: unknown): ByteSteering {
  const { byte, modulo } = copyOptions<ByteSteering>(given, SHAPE);
  return {
    byte: requireMember("byte", byte, 0, MOST_BYTE),
    modulo: requireMember("modulo", modulo, 1, MOST_MODULO),
  };
}

/** The program that returns the number of the socket. Classic BPF ends with 0 where a byte is not there. */
function program(steering: Steering): BpfInstruction[] {
  if (steering === "cpu") return [{ code: LOAD_WORD, k: PROCESSOR }, { code: RETURN, k: 0 }];
  return [{ code: LOAD_BYTE, k: steering.byte }, { code: MODULO, k: steering.modulo }, { code: RETURN, k: 0 }];
}

/** Sets how a group spreads what arrives: SO_ATTACH_REUSEPORT_CBPF of socket(7). To be called when the socket has joined
 * its group: after bind(2) for UDP, after listen(2) for TCP. */
export function setSteering(fd: number, steering: Steering): void {
  attachFilter(fd, program(steering), "SO_ATTACH_REUSEPORT_CBPF");
}
