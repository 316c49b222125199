/**
 * Gives up a permission and tells, for each operation, how Deno's own function and ours went before and after: the
 * name of what is revoked on the command line, a JSON object of operation to `[Deno before, ours before, Deno after,
 * ours after]` on standard output. The directory is the working directory, where "sink" is a datagram socket and "live"
 * a listener.
 *
 * @module
 */
import { connect, listen, listenDatagram, Socket } from "../../../mod.ts";

const [what, directory] = [Deno.args[0]!, Deno.args[1]!];
// What some programs do with everything that belongs to the runtime.
if (Deno.args[2] === "frozen") Object.freeze(Object.getPrototypeOf(Deno.permissions));

const REVOCATIONS: Record<string, Deno.PermissionDescriptor> = {
  "net": { name: "net" },
  "host": { name: "net", host: "127.0.0.1" },
  "socket": { name: "net", host: `unix:${directory}/sink` },
  "read": { name: "read" },
  "write": { name: "write" },
  "written": { name: "write", path: directory },
};

const PORT = 47_813;
const udp = { transport: "udp", hostname: "127.0.0.1", port: PORT } as const;
const sink = { transport: "unixpacket", path: `${directory}/sink` } as const;
const data = new Uint8Array(1);

const theirs = {
  udp: Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 }),
  unix: Deno.listenDatagram({ transport: "unixpacket", path: `${directory}/theirs` }),
};
const ours = {
  udp: listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 }),
  unix: listenDatagram({ transport: "unixgram", path: `${directory}/ours` }),
};
using plain = Socket.open("inet", "dgram");

/** What Deno has no function for stands beside the one that takes the same permission. Sends come first, since opening a
 * socket forgets what is remembered of grants. */
const OPERATIONS: Record<string, [theirs: () => unknown, ours: () => unknown]> = {
  "send": [() => theirs.udp.send(data, udp), () => ours.udp.send(data, udp)],
  "sendMany": [() => theirs.udp.send(data, udp), () => ours.udp.sendMany([{ data, addr: udp }])],
  "sendSegments": [() => theirs.udp.send(data, udp), () => ours.udp.sendSegments(data, 1, udp)],
  "Socket.send": [() => theirs.udp.send(data, udp), () => plain.send(data, udp)],
  "listen": [
    () => Deno.listen({ hostname: "127.0.0.1", port: 0 }).close(),
    () => listen({ hostname: "127.0.0.1", port: 0 }).close(),
  ],
  "listenDatagram": [
    () => Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 }).close(),
    () => listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 }).close(),
  ],
  "unix send": [() => theirs.unix.send(data, sink), () => ours.unix.send(data, sink)],
  "unix connect": [
    async () => (await Deno.connect({ transport: "unix", path: `${directory}/live` })).close(),
    async () => (await connect({ transport: "unix", path: `${directory}/live` })).close(),
  ],
};

async function outcome(operation: () => unknown): Promise<string> {
  try {
    await operation();
    return "passes";
  } catch (error) {
    return error instanceof Deno.errors.NotCapable ? "NotCapable" : `${error}`;
  }
}

const outcomes: Record<string, string[]> = {};
for (const [name, both] of Object.entries(OPERATIONS)) {
  outcomes[name] = [];
  for (const operation of both) outcomes[name].push(await outcome(operation));
}
// The grant is remembered when it is revoked.
await ours.udp.send(data, udp);
// Both ways to revoke; nothing is awaited that would let a turn of the event loop pass.
if (what === "net") await Deno.permissions.revoke(REVOCATIONS[what]!);
else Deno.permissions.revokeSync(REVOCATIONS[what]!);
for (const [name, both] of Object.entries(OPERATIONS)) {
  for (const operation of both) outcomes[name]!.push(await outcome(operation));
}
console.log(JSON.stringify(outcomes));
for (const socket of [theirs.udp, theirs.unix, ours.udp, ours.unix]) socket.close();
