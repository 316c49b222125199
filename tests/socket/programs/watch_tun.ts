/**
 * Waits for a packet at a tun device of a fresh network namespace, and prints what came.
 *
 * @module
 */
import { interfaces, listenDatagram, watch } from "../../../mod.ts";

const TUNSETIFF = 0x400454can;
const IFF_TUN_NO_PI = 0x1001;
const O_RDWR_NONBLOCK = 0x802;

const { symbols: c } = Deno.dlopen("libc.so.6", {
  open: { parameters: ["buffer", "i32"], result: "i32" },
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
});

const tun = c.open(new TextEncoder().encode("/dev/net/tun\0"), O_RDWR_NONBLOCK);
const request = new Uint8Array(40);
request.set(new TextEncoder().encode("tun0"));
new DataView(request.buffer).setInt16(16, IFF_TUN_NO_PI, true);
if (tun === -1 || c.ioctl(tun, TUNSETIFF, request) === -1) throw new Error("No tun device here");
for (const args of ["link set tun0 up", "address add 192.0.2.76/24 dev tun0"]) {
  await new Deno.Command("ip", { args: args.split(" ") }).output();
}
if (!interfaces().some(({ name, up }) => name === "tun0" && up)) throw new Error("tun0 is not up");

using watcher = watch(tun);
using udp = listenDatagram({ transport: "udp", hostname: "192.0.2.76" });
const packet = new Uint8Array(2048);
await udp.send(Uint8Array.of(1), { transport: "udp", hostname: "192.0.2.77", port: 9 });
// Others may come first: the kernel looks for IPv6 routers.
do {
  await watcher.readable();
  c.read(tun, packet, 2048n);
} while (packet[0]! >> 4 !== 4);
console.log(`an IPv4 packet for ${packet.subarray(16, 20).join(".")}`);
