import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { isSocketError, listenDatagram, type UdpListenOptions, type UdpSocket } from "../../mod.ts";
import { bytes } from "../support/bytes.ts";
import { descriptorCount, noDescriptorLeaks } from "../support/descriptors.ts";
import { at, LOOPBACK } from "../support/loopback.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { refusal, refuses, type Row } from "./refusing.ts";
import { openUdp, receiveText } from "./support.ts";

noDescriptorLeaks();

const MULTICAST = { interface: LOOPBACK };

/** Calls with a socket that is open for just that. */
async function withSocket(call: (socket: UdpSocket) => unknown, options?: Partial<UdpListenOptions>): Promise<void> {
  using socket = openUdp(options);
  await call(socket);
}

const BAD_PORTS: readonly Row[] = [
  [NaN, TypeError, "NaN"],
  [1.5, TypeError, "1.5"],
  [Infinity, TypeError, "Infinity"],
  ["http", TypeError, "'http'"],
  ["", TypeError, "''"],
  ["1.5", TypeError, "'1.5'"],
  [true, TypeError, "true"],
  [{}, TypeError, "Invalid port: {}"],
  [-1, RangeError, "-1"],
  [65536, RangeError, "65536"],
  ["-1", RangeError, "-1"],
  ["65536", RangeError, "65536"],
  [2 ** 53, RangeError, String(2 ** 53)],
];

const BAD_GROUPS: readonly Row[] = [
  ["127.0.0.1", TypeError, '"127.0.0.1"'],
  ["223.255.255.255", TypeError, '"223.255.255.255"'],
  ["240.0.0.0", TypeError, '"240.0.0.0"'],
  ["0.0.0.0", TypeError, '"0.0.0.0"'],
  ["ff02::1", TypeError, "ff02::1"],
  ["all-hosts", TypeError, '"all-hosts"'],
  ["239.1.2", TypeError, '"239.1.2"'],
  ["239.1.2.3:5", TypeError, '"239.1.2.3:5"'],
  ["", TypeError, '""'],
  [null, TypeError, "null"],
  [undefined, TypeError, "undefined"],
  [0xefffffff, TypeError, String(0xefffffff)],
];

const BAD_INTERFACES: readonly Row[] = [
  ["nosuch0", Deno.errors.NotFound, '"nosuch0"'],
  ["a-name-that-is-longer-than-any", Deno.errors.NotFound, '"a-name-that-is-longer-than-any"'],
  ["lo\0", Deno.errors.NotFound, String.raw`"lo\u0000"`],
  ["203.0.113.1", Deno.errors.NotFound, "203.0.113.1"],
  [0x7fff_fff0, Deno.errors.NotFound, String(0x7fff_fff0)],
  [-1, TypeError, "-1"],
  [1.5, TypeError, "1.5"],
  [NaN, TypeError, "NaN"],
  ["", TypeError, '""'],
  [{}, TypeError, "{}"],
];

refuses("Listening on a port", BAD_PORTS, (port) => openUdp({ port }));

refuses("Listening on a host", [
  ["", TypeError, '""'],
  ["a b", TypeError, '"a b"'],
  ["127.0.0.1:80", TypeError, '"127.0.0.1:80"'],
  ["127.0.0.1\0.example", TypeError, '"127.0.0.1'],
  ["::1%", TypeError, '"::1%"'],
  [5, TypeError, "5"],
  [{}, TypeError, "{}"],
  ["::1%nosuch0", Deno.errors.NotFound, '"nosuch0"'],
  ["192.0.2.254", Deno.errors.AddrNotAvailable, "192.0.2.254:0"],
  ["2001:db8::dead", Deno.errors.AddrNotAvailable, "[2001:db8::dead]:0"],
], (hostname) => openUdp({ hostname }));

refuses("Listening with options", [
  [undefined, TypeError, "undefined"],
  [null, TypeError, "null"],
  ["udp", TypeError, '"udp"'],
  [{}, TypeError, "undefined"],
  [{ transport: "tpc" }, TypeError, '"tpc"'],
  [{ transport: "udp", receiveBufferSize: 1.5 }, TypeError, "receiveBufferSize: 1.5"],
  [{ transport: "udp", receiveBufferSize: "big" }, TypeError, 'receiveBufferSize: "big"'],
  [{ transport: "udp", sendBufferSize: 2 ** 40 }, RangeError, `sendBufferSize: ${2 ** 40}`],
], (options) => listenDatagram(options));

refuses("A destination", [
  ...BAD_PORTS.map(([port, errorClass, quoted]): Row => [{ ...at(LOOPBACK, 0), port }, errorClass, quoted]),
  [null, TypeError, "null"],
  ["127.0.0.1:53", TypeError, '"127.0.0.1:53"'],
  [{}, TypeError, "undefined"],
  [{ transport: "tcp", hostname: LOOPBACK, port: 9 }, TypeError, '"tcp"'],
  [{ transport: "unix", path: "/no/such/path" }, TypeError, '"unix"'],
  [at("::1", 9), TypeError, "::1"],
  [at("a b", 9), TypeError, '"a b"'],
  [{ ...at("", 9), hostname: 7 }, TypeError, "7"],
  [at("::1%nosuch0", 9), Deno.errors.NotFound, '"nosuch0"'],
], (addr) => withSocket((socket) => socket.send(bytes("x"), addr)));

refuses(
  "A destination left out",
  [[undefined, TypeError, "not connected"]],
  (addr) => withSocket((socket) => socket.send(bytes("x"), addr)),
);

refuses("A datagram", [
  [new Uint8Array(65_508), RangeError, "65508"],
  [new Uint8Array(100_000), RangeError, "100000"],
  ["text", TypeError, "text"],
  [null, TypeError, "null"],
  [undefined, TypeError, "undefined"],
  [[1, 2], TypeError, "Array"],
  [new ArrayBuffer(4), TypeError, "ArrayBuffer"],
  [new Uint16Array(4), TypeError, "Uint16Array"],
  [new DataView(new ArrayBuffer(4)), TypeError, "DataView"],
  [new Uint8Array(new SharedArrayBuffer(4)), TypeError, "shared"],
  [detached(), TypeError, "detached"],
], (data) => withSocket((socket) => socket.send(data, at(LOOPBACK, 9))));

refuses("A buffer to receive into", [
  ["text", TypeError, "text"],
  [null, TypeError, "null"],
  [new Uint16Array(4), TypeError, "Uint16Array"],
  [new Uint8Array(new SharedArrayBuffer(4)), TypeError, "shared"],
  [detached(), TypeError, "detached"],
], (buffer) => withSocket((socket) => socket.receive(buffer)));

refuses("A length to receive", [
  [-1, RangeError, "-1"],
  [1.5, RangeError, "1.5"],
  [NaN, RangeError, "NaN"],
  [65_536, RangeError, "65536"],
  ["8", RangeError, "8"],
], (maxLength) => withSocket((socket) => socket.receiveMessage({ maxLength })));

refuses("A group", BAD_GROUPS, (group) => withSocket((socket) => socket.joinMulticast(group, MULTICAST)));

refuses("An IPv6 group", [
  ["239.1.2.3", TypeError, "239.1.2.3"],
  ["::1", TypeError, '"::1"'],
  ["fe80::1", TypeError, '"fe80::1"'],
], (group) => withSocket((socket) => socket.joinMulticast(group, { interface: "lo" }), { hostname: "::1" }));

refuses(
  "An interface to join on",
  BAD_INTERFACES,
  (networkInterface) => withSocket((socket) => socket.joinMulticast("239.255.9.9", { interface: networkInterface })),
);

refuses(
  "An interface to send by",
  BAD_INTERFACES,
  (networkInterface) => withSocket((socket) => socket.setMulticastInterface(networkInterface)),
);

refuses("A source", [
  ["::1", TypeError, "::1"],
  ["nobody", TypeError, '"nobody"'],
  ["", TypeError, '""'],
  [5, TypeError, "5"],
], (source) => withSocket((socket) => socket.joinMulticast("239.255.9.9", { ...MULTICAST, source })));

refuses("A blocked source", [
  ["::1", TypeError, "::1"],
  ["nobody", TypeError, '"nobody"'],
  [undefined, TypeError, "undefined"],
], (source) => withSocket((socket) => socket.joinMulticast("239.255.9.9", MULTICAST).blockSource(source)));

for (const [what, least] of [["A TTL", 1], ["A multicast TTL", 0]] as const) {
  refuses(what, [
    [least - 1, RangeError, String(least - 1)],
    [256, RangeError, "256"],
    [1.5, RangeError, "1.5"],
    [NaN, RangeError, "NaN"],
    ["8", RangeError, "8"],
  ], (ttl) => withSocket((socket) => least === 1 ? socket.setTTL(ttl) : socket.setMulticastTTL(ttl)));
}

refuses("A boolean", [
  ["yes", TypeError, '"yes"'],
  [1, TypeError, "1"],
], (value) => withSocket((socket) => socket.setBroadcast(value)));

refuses("A deadline", [
  [new Date(NaN), TypeError, "Invalid Date"],
  [undefined, TypeError, "undefined"],
  [NaN, TypeError, "expected a Date, milliseconds from now"],
  ["tomorrow", TypeError, "tomorrow"],
], (deadline) => withSocket((socket) => socket.setDeadline(deadline)));

describe("After all that", TIMEOUT, () => {
  it("a socket whose sends were refused still sends", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const count = descriptorCount();
    for (const addr of [at(LOOPBACK, NaN), at("::1", 9), at("a b", 9), null as unknown as Deno.NetAddr]) {
      await refusal(() => sender.send(bytes("x"), addr));
    }
    await refusal(() => sender.send(new Uint8Array(70_000), receiver.addr));
    await sender.send(bytes("fine"), receiver.addr);
    assertEquals(await receiveText(receiver), "fine");
    assertEquals(descriptorCount(), count);
  });

  it("a datagram that is too long has the code of the system's error", async () => {
    using sender = openUdp();
    const error = await refusal(() => sender.send(new Uint8Array(65_508), at(LOOPBACK, 9)));
    assert(isSocketError(error));
    assertEquals([error.code, error.syscall], ["EMSGSIZE", "sendmsg"]);
  });

  it("a buffer that is transferred while a receive waits loses no datagram", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const buffer = new Uint8Array(64);
    // Once with it, so that its address is known.
    await sender.send(bytes("first"), receiver.addr);
    await receiver.receive(buffer);
    const waiting = refusal(() => receiver.receive(buffer));
    buffer.buffer.transfer();
    await sender.send(bytes("second"), receiver.addr);
    const error = await waiting;
    assertInstanceOf(error, TypeError);
    assertStringIncludes(error.message, "detached");
    assertEquals(await receiveText(receiver), "second");
  });
});

function detached(): Uint8Array {
  const data = new Uint8Array(8);
  data.buffer.transfer();
  return data;
}
