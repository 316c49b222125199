/**
 * Takes over the sockets passed to this process and prints them as JSON on one line; then each answers clients with its name.
 * "serve" on the command line: until it is ended; else it ends at once.
 *
 * @module
 */
import { activatedSockets, type AnySocket } from "../../../mod.ts";
import { isCloseOnExec } from "../support.ts";

const VARIABLES = ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"];

function environment(): string[] {
  return VARIABLES.filter((name) => Deno.env.get(name) !== undefined);
}

/** What became of it: sockets by name, kind, descriptor; the variables that are left; which descriptors are close-on-exec. */
function report(): unknown {
  try {
    const sockets = activatedSockets();
    const told = sockets.map(({ name, socket }) => [name, socket.constructor.name, socket.socket.fd]);
    const again = activatedSockets().length;
    if (Deno.args[0] === "serve") { for (const { name, socket } of sockets) serve(name, socket); }
    return { sockets: told, again, environment: environment(), closeOnExec: [3, 4, 5, 6].filter(closes) };
  } catch (error) {
    const { name, message } = error as Error;
    return { error: `${name}: ${message}`, environment: environment(), closeOnExec: [3, 4, 5, 6].filter(closes) };
  }
}

function closes(fd: number): boolean {
  try {
    return isCloseOnExec(fd);
  } catch {
    return false;
  }
}

async function serve(name: string, socket: AnySocket): Promise<void> {
  const answer = new TextEncoder().encode(name);
  if ("accept" in socket) {
    for (;;) {
      using conn = await socket.accept();
      if ("write" in conn) await conn.write(answer);
      else await conn.send(answer);
    }
  }
  if (!("receive" in socket && "addr" in socket)) return;
  for (;;) {
    const [, from] = await socket.receive();
    await socket.send(answer, from as Deno.NetAddr & Deno.UnixAddr);
  }
}

console.log(JSON.stringify(report()));
