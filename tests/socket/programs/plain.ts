/**
 * Tries what a plain Socket can do with addresses, and tells how each went, one line each.
 *
 * @module
 */
import { Socket } from "../../../mod.ts";

const address: Deno.NetAddr = { transport: "tcp", hostname: "127.0.0.1", port: 9 };
// AF_INET, port 9, 127.0.0.1.
const sockaddr = Uint8Array.of(2, 0, 0, 9, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);
// AF_NETLINK, which no grant can name.
const netlink = Uint8Array.of(16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
const path = "/no/such/directory/socket";

const attempts: Record<string, (socket: Socket) => unknown> = {
  "bind": (socket) => socket.bind({ ...address, port: 0 }),
  "bind to bytes": (socket) => socket.bind(sockaddr),
  "bind to netlink": (socket) => socket.bind(netlink),
  "connect": (socket) => socket.connect(address),
  "connect to bytes": (socket) => socket.connect(sockaddr),
  "send": (socket) => socket.send(new Uint8Array(1), address),
  "listen without a bind": (socket) => socket.listen(),
  "bind to a path": (socket) => socket.bind({ transport: "unix", path }),
  "bind to an abstract name": (socket) => socket.bind({ transport: "unix", path: "\0berkeley" }),
};

for (const [name, attempt] of Object.entries(attempts)) {
  const unix = name.includes("path") || name.includes("abstract");
  using socket = Socket.open(unix ? "unix" : "inet", name === "send" ? "dgram" : "stream");
  try {
    await attempt(socket);
    console.log(`${name}: allowed`);
  } catch (error) {
    const { name: kind, message } = error as Error;
    console.log(`${name}: ${kind === "NotCapable" ? message : "asked of the system"}`);
  }
}
