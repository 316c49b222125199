/**
 * Does the same thing with Deno's sockets and with ours, and tells how either went: a JSON array of `[operation, path]` on the command line, a
 * JSON array of `[Deno's outcome, ours]` on standard output.
 *
 * @module
 */
import { connect, listen, listenDatagram } from "../../../mod.ts";

type Step = [operation: "listen" | "connect" | "datagram" | "send", path: string];

/** Deno wants a path of every socket that sends, and leaves its file: an abstract name needs a grant, and leaves none. */
const SOURCE = `\0berkeley-permitted-${Deno.pid}`;

const deno = {
  listen: (path: string) => Deno.listen({ transport: "unix", path }).close(),
  connect: async (path: string) => (await Deno.connect({ transport: "unix", path })).close(),
  datagram: (path: string) => {
    Deno.listenDatagram({ transport: "unixpacket", path }).close();
    // Deno leaves it.
    if (!path.startsWith("\0")) Deno.removeSync(path);
  },
  send: (path: string) => sendFrom(Deno.listenDatagram({ transport: "unixpacket", path: SOURCE }), path),
};

const ours: typeof deno = {
  listen: (path) => listen({ transport: "unix", path }).close(),
  connect: async (path) => (await connect({ transport: "unix", path })).close(),
  datagram: (path) => listenDatagram({ transport: "unixpacket", path }).close(),
  send: (path) => sendFrom(listenDatagram({ transport: "unixpacket", path: SOURCE }), path),
};

async function sendFrom(socket: Deno.DatagramConn, path: string): Promise<void> {
  try {
    await socket.send(new Uint8Array(1), { transport: "unixpacket", path });
  } finally {
    socket.close();
  }
}

async function outcome(sockets: typeof deno, [operation, path]: Step): Promise<string> {
  try {
    await sockets[operation](path);
    return "allowed";
  } catch (error) {
    const { name, message } = error as Error;
    return `${name}: ${message}`;
  }
}

const outcomes: [string, string][] = [];
for (const step of JSON.parse(Deno.args[0]!) as Step[]) {
  outcomes.push([await outcome(deno, step), await outcome(ours, step)]);
}
console.log(JSON.stringify(outcomes));
