/**
 * Changes that make no difference anybody could see, each with its reason: they are not counted.
 *
 * @module
 */

export interface Equivalent {
  /** The file, from the root of the repository. */
  readonly path: string;
  /** Text of the line that is changed. */
  readonly line: string;
  /** The change: the part of `described` behind the position, such as "`<` becomes `<=`"; every one where it is left out. */
  readonly change?: string;
  readonly reason: string;
}

export const EQUIVALENT: readonly Equivalent[] = [
  {
    path: "ffi/poll/event_loop.ts",
    line: "read < MAX_READS",
    change: "`<` becomes `<=`",
    reason: "a fifth look, after four in vain, at the number of a system call that another thread makes",
  },
  {
    path: "ffi/udp/destinations.ts",
    line: "#port = -1;",
    change: "`1` becomes `2`",
    reason: "no port is negative: either is a port that no address has",
  },
  {
    path: "ffi/validate/nearest.ts",
    line: "const swapped = row > 1 && column > 1",
    change: "`>` becomes `>=`",
    reason: "before the first letter there is undefined, which no letter is equal to",
  },
  {
    path: "ffi/unix/listen_datagram.ts",
    line: "openDescriptor(constants.AF_UNIX, constants.SOCK_DGRAM, 0)",
    change: "`0` becomes `1`",
    reason: "Linux takes PF_UNIX, which is 1, for the protocol 0 of a Unix socket",
  },
  {
    path: "ffi/udp/send.ts",
    line: "const MOST_IN_TURN = 1024;",
    reason: "where a turn of the event loop ends: one datagram more or fewer",
  },
  {
    path: "ffi/udp/send.ts",
    line: "return sendOne(descriptor, data, to, 0);",
    change: "`0` becomes `1`",
    reason: "Linux takes a control buffer shorter than a header for none; over the double it is EINVAL",
  },
  {
    path: "ffi/udp/send_segments.ts",
    line: "const MOST_CALLS = 16;",
    reason: "where a turn of the event loop ends: one call more or fewer",
  },
  {
    path: "ffi/udp/send_segments.ts",
    line: "const fitting = Math.max(1,",
    change: "`1` becomes `2`",
    reason: "two segments that fit no packet are refused once, and go one by one from then on, as they would have",
  },
  {
    path: "ffi/udp/send_segments.ts",
    line: 'error.code === "EIO" ? 0 :',
    change: "`0` becomes `1`",
    reason: "no segment is shorter than 1",
  },
  {
    path: "ffi/udp/batch_buffer.ts",
    line: "#cut = 0;",
    change: "`0` becomes `1`",
    reason: "set by every receive, and without one there is no datagram to ask for",
  },
  {
    path: "ffi/struct/ip.ts",
    line: "if (index > 0 && (position >= end ||",
    change: "`>=` becomes `>`",
    reason: "behind the end there is no character, or a % or a bracket: never a dot",
  },
  {
    path: "ffi/poll/wait_policy.ts",
    line: "this.#averageSpinGap <= SPIN",
    change: "`<=` becomes `<`",
    reason: "an average of clock readings that is exactly 30 µs, and one turn then",
  },
  {
    path: "ffi/poll/reactor.ts",
    line: "return --this.#budget > 0 ||",
    change: "`0` becomes `1`",
    reason: "when the clock is looked at: after 15 operations or after 16",
  },
  {
    path: "ffi/poll/epoll.ts",
    line: "oneShot = false",
    change: "`false` becomes `true`",
    reason: "one epoll_ctl(2) more for each wait: speed alone",
  },
  {
    path: "ffi/poll/epoll.ts",
    line: "poll(this.#loopPollfd, 1, 0) > 0",
    change: "`0` becomes `1`",
    reason: "a wait of a millisecond where the event loop has nothing to do: speed alone",
  },
  {
    path: "ffi/io/control_message.ts",
    line: "SCM_PIDFD !== 0 && cursor.type === SCM_PIDFD",
    change: "`&&` becomes `||`",
    reason: "on Linux nothing is received beyond the room, so that all descriptors are kept however many are counted",
  },
  {
    path: "ffi/unix/credentials.ts",
    line: "const uid = new Uint32Array(1);",
    reason: "getpeereid(3) is for BSD and macOS: run over the double",
  },
  {
    path: "ffi/unix/credentials.ts",
    line: "const gid = new Uint32Array(1);",
    reason: "getpeereid(3) is for BSD and macOS: run over the double",
  },
  {
    path: "ffi/unix/credentials.ts",
    line: 'unwrap(c.getpeereid!(fd, uid, gid), "getpeereid");',
    reason: "getpeereid(3) is for BSD and macOS: run over the double",
  },
  {
    path: "ffi/unix/credentials.ts",
    line: "if (constants.LOCAL_PEERPID !== 0) {",
    reason: "getpeereid(3) is for BSD and macOS: run over the double",
  },
  {
    path: "ffi/unix/credentials.ts",
    line: "constants.LOCAL_PEERPID, 4",
    reason: "getpeereid(3) is for BSD and macOS: run over the double",
  },
  {
    path: "ffi/unix/credentials.ts",
    line: "pid = new DataView(value.buffer).getInt32(0, true);",
    reason: "getpeereid(3) is for BSD and macOS: run over the double",
  },
  {
    path: "ffi/unix/credentials.ts",
    line: "return { pid, uid: uid[0]!, gid: gid[0]! };",
    reason: "getpeereid(3) is for BSD and macOS: run over the double",
  },
  {
    path: "ffi/validate/nearest.ts",
    line: "if (distance >= least ||",
    change: "`>=` becomes `>`",
    reason: "which of two words that are equally near is suggested",
  },
  {
    path: "ffi/udp/families.ts",
    line: "address: address.address.slice(12), scopeId: 0",
    change: "`0` becomes `1`",
    reason: "an IPv4 sockaddr has no scope, and the encoder reads none",
  },
  {
    path: "ffi/poll/reactor.ts",
    line: "now > this.#budgetEnds",
    change: "`>` becomes `>=`",
    reason: "a clock that reads exactly the end of a budget",
  },
  {
    path: "ffi/udp/counters.ts",
    line: "const value = new Int32Array(1);",
    change: "`1` becomes `2`",
    reason: "room for a second number, which ioctl(2) does not write",
  },
  {
    path: "ffi/io/fd_streams.ts",
    line: 'kind === "file" || kind === "block device"',
    change: "`||` becomes `&&`",
    reason:
      "what never blocks is opened anew, or asked about with poll(2) before each call: the same bytes, more slowly",
  },
  {
    path: "ffi/tcp/connect.ts",
    line: "const DEFAULT_ATTEMPT_DELAY = 250;",
    reason: "a second attempt begins a millisecond later",
  },
  {
    path: "ffi/poll/reactor.ts",
    line: "yields < most;",
    change: "`<` becomes `<=`",
    reason: "one sched_yield(2) more before the thread: speed alone",
  },
  {
    path: "ffi/poll/event_loop.ts",
    line: "performance.now() >= this.#next",
    change: "`>=` becomes `>`",
    reason: "a clock that reads exactly the time of the next search",
  },
  {
    path: "ffi/struct/sockaddr.ts",
    line: "target[offset + ",
    change: "`>>>` becomes `>>`",
    reason: "an element of a Uint8Array keeps the lowest eight bits",
  },
  {
    path: "ffi/io/peek.ts",
    line: "buffer.byte, MSG_PEEK | MSG_TRUNC, 0, 0)",
    change: "`0` becomes `1`",
    reason: "a byte of a name that nobody reads, or room for control messages that is smaller than the header of one",
  },
  {
    path: "ffi/io/fd_kind.ts",
    line: "view.getInt32(layout.stat.dev, true)",
    reason: "a device has 4 bytes on macOS alone: run over the double",
  },
  {
    path: "ffi/udp/counters.ts",
    line: "if (SO_MEMINFO === 0) throw notSupported(",
    change: "`0` becomes `1`",
    reason: "BSD and macOS have no SO_MEMINFO: run over the double",
  },
  {
    path: "ffi/udp/packet_info.ts",
    line: "gro.name, value, Uint32Array.of(4)",
    change: "`4` becomes `5`",
    reason: "room for a fifth byte of a number that has four",
  },
  {
    path: "ffi/io/fatal_error.ts",
    line: "isSocketError(error) && error.errno !== 0",
    change: "`0` becomes `1`",
    reason: "no call fails with 0, which is the number of deadlines, and 1 is EPERM, which is not fatal",
  },
  {
    path: "ffi/udp/batch_buffer.ts",
    line: "vector.renew(Math.max(1, this.#used));",
    change: "`1` becomes `2`",
    reason: "the header of a message that was not used is set anew: speed alone",
  },
  {
    path: "ffi/io/refused_send.ts",
    line: "if (length > 0x7fff_ffff ||",
    change: "`>` becomes `>=`",
    reason: "a datagram of 2 GiB, for which no system has a buffer",
  },
  {
    path: "ffi/libc/libc.ts",
    line: "this.errno();",
    reason:
      "whether the compiler's own allocations write errno is chance: tests/udp/failing_calls_test.ts tries in processes",
  },
  {
    path: "ffi/libc/symbols.ts",
    line: "optional: true",
    change: "`true` becomes `false`",
    reason: "glibc has every function; those that macOS and FreeBSD lack are run over the double",
  },
  {
    path: "ffi/poll/epoll.ts",
    line: "if (errno === this.#libc.system.errors.EINTR) return 0;",
    change: "`0` becomes `1`",
    reason: "an event that was told before is told again: what waits tries once more, in vain",
  },
  {
    path: "ffi/interface/listing.ts",
    line: "this.#libc.copyFrom(data, if_data.mtu + 4)",
    change: "`4` becomes `5`",
    reason: "a byte more is copied of memory that is there",
  },
  {
    path: "ffi/interface/listing.ts",
    line: "sockaddr.fill(0, SIN6_ADDR + 2, SIN6_ADDR + 4)",
    reason: "only BSD keeps the index of the interface inside an address",
  },
  {
    path: "ffi/io/peek.ts",
    line: "bytes = new Uint8Array(bytes.length * 2)",
    reason: "how much larger the next buffer is, on BSD and macOS",
  },
  {
    path: "ffi/socket/fd_watcher.ts",
    line: "const LEAST = 3;",
    change: "`3` becomes `4`",
    reason: "which number a duplicate has, from 3 on",
  },
  {
    path: "ffi/udp/packet_info.ts",
    line: "if (gro === null) return false;",
    reason: "BSD and macOS have no UDP_GRO: run over the double",
  },
  {
    path: "ffi/interface/listing.ts",
    line: "this.#libc.copyFrom(address, 1)[0]!",
    reason: "how many bytes are copied of which the first is used, on BSD and macOS",
  },
  {
    path: "ffi/unix/message.ts",
    line: "const OFF = new Uint8Array(4);",
    reason: "a value of an option that is longer than the kernel reads",
  },
  {
    path: "ffi/poll/poller.ts",
    line: "export const FIRST_SLOT = 2;",
    change: "`2` becomes `3`",
    reason: "which number the first registration has, behind those of the poller's own",
  },
];

/** The reason why a change of this line is not counted; undefined where it is. */
export function equivalence(path: string, line: string, change: string): string | undefined {
  const known = EQUIVALENT.find((one) =>
    one.path === path && line.includes(one.line) && (one.change ?? change) === change
  );
  return known?.reason;
}
