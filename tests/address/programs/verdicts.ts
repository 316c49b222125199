/**
 * Tries each operation with Deno's own function and with ours: a JSON array of steps on the command line, a JSON array
 * of `[Deno's verdict, ours]` on standard output. A verdict is what NotCapable says, or "passes" for whatever the
 * permissions let through to the system.
 *
 * @module
 */
import { connect, listen, listenDatagram } from "../../../mod.ts";

/** An operation, and the host and port or the path it is about. */
export type Step = readonly [operation: string, to: string, port?: number];

const GROUP = "239.255.21.1";

type Functions = Pick<typeof Deno, "listen" | "connect" | "listenDatagram">;

const THEIRS: Functions = Deno;
const OURS = { listen, connect, listenDatagram } as unknown as Functions;

/** Closes a socket, and removes the file that Deno leaves. */
function closed(socket: { close(): void; addr?: Deno.Addr }): void {
  socket.close();
  if (socket.addr === undefined || !("path" in socket.addr) || socket.addr.path.startsWith("\0")) return;
  try {
    Deno.removeSync(socket.addr.path);
  } catch {
    // Gone already, or not to be removed with these flags.
  }
}

async function sendFrom(socket: Deno.DatagramConn, addr: Deno.Addr): Promise<void> {
  try {
    await socket.send(new Uint8Array(1), addr);
  } finally {
    closed(socket);
  }
}

const OPERATIONS: Record<string, (using: Functions, to: string, port: number) => unknown> = {
  "tcp listen": (using, hostname, port) => closed(using.listen({ hostname, port })),
  "tcp connect": async (using, hostname, port) => (await using.connect({ hostname, port })).close(),
  "udp listen": (using, hostname, port) => closed(using.listenDatagram({ transport: "udp", hostname, port })),
  "udp send": (using, hostname, port) => {
    const v6 = hostname.includes(":");
    const socket = using.listenDatagram({ transport: "udp", hostname: v6 ? "::1" : "127.0.0.1", port: 0 });
    return sendFrom(socket, { transport: "udp", hostname, port });
  },
  "udp send from all": (using, hostname, port) => {
    const socket = using.listenDatagram({ transport: "udp", hostname: "::", port: 0 });
    return sendFrom(socket, { transport: "udp", hostname, port });
  },
  "udp join": async (using) => {
    const socket = using.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
    try {
      await socket.joinMulticastV4(GROUP, "127.0.0.1");
    } finally {
      closed(socket);
    }
  },
  "unix listen": (using, path) => closed(using.listen({ transport: "unix", path })),
  "unix connect": async (using, path) => (await using.connect({ transport: "unix", path })).close(),
  "datagram listen": (using, path) => closed(using.listenDatagram({ transport: "unixpacket", path })),
  "datagram send": (using, path) => {
    const source = `\0berkeley-verdicts-${Deno.pid}`;
    return sendFrom(using.listenDatagram({ transport: "unixpacket", path: source }), { transport: "unixpacket", path });
  },
  "datagram send from a path": (using, path) => {
    return sendFrom(using.listenDatagram({ transport: "unixpacket", path: "from" }), { transport: "unixpacket", path });
  },
};

async function verdict(using: Functions, [operation, to, port = 0]: Step): Promise<string> {
  try {
    await OPERATIONS[operation]!(using, to, port);
    return "passes";
  } catch (error) {
    return error instanceof Deno.errors.NotCapable ? error.message : "passes";
  }
}

if (import.meta.main) {
  const verdicts: [string, string][] = [];
  for (const step of JSON.parse(Deno.args[0]!) as Step[]) {
    verdicts.push([await verdict(THEIRS, step), await verdict(OURS, step)]);
  }
  console.log(JSON.stringify(verdicts));
}
