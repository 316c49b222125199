/**
 * Opens sockets at relative and crooked paths, changes the directory in `control`, and tells where each ended: a JSON
 * object of attempt to outcome on standard output. Starts in a directory that is granted, beside "secret", which is
 * not; "link" leads from the one to the other.
 *
 * @module
 */
import { connect, listen, listenDatagram, Socket } from "../../../mod.ts";

const here = Deno.cwd();
const control = () => Deno.chdir(`${here}/elsewhere`);
const data = new Uint8Array(1);

/** Which of the granted directories have a file of this name. */
function places(name: string): string {
  return [".", "elsewhere"].filter((directory) => {
    try {
      return Deno.lstatSync(`${here}/${directory}/${name}`).isSocket;
    } catch {
      return false;
    }
  }).join();
}

/** Where a socket is while it is open, and whether its file goes when it is closed. */
function opened(name: string, open: () => { addr: unknown; close(): void }): string {
  const socket = open();
  const { path } = socket.addr as Deno.UnixAddr;
  const open_at = places(name);
  socket.close();
  return [path.replace(here, "$"), open_at, places(name)].join(" ").trim();
}

async function dialled(path: string, transport: "unix" | "seqpacket" = "unix"): Promise<string> {
  const conn = transport === "unix"
    ? await connect({ transport, path, control })
    : await connect({ transport, path, control });
  conn.close();
  return (conn.remoteAddr.path as string).replace(here, "$");
}

const ATTEMPTS: Record<string, () => unknown> = {
  "listen, then chdir": () => opened("a", () => listen({ transport: "unix", path: "a", control })),
  "listen with a mode, then chdir": () =>
    opened("b", () => listen({ transport: "unix", path: "b", mode: 0o600, replaceStale: true, control })),
  "seqpacket listen, then chdir": () => opened("c", () => listen({ transport: "seqpacket", path: "./c", control })),
  "datagram, then chdir": () => opened("d", () => listenDatagram({ transport: "unixgram", path: "d", control })),
  "connect, then chdir": () => dialled("live"),
  "listen behind a link": () => opened("e", () => listen({ transport: "unix", path: `${here}/link/../e` })),
  "connect behind a link": () => dialled(`${here}/link/../live-secret`),
  "connect behind a link, relatively": () => dialled("link/../live-secret"),
  "send behind a link": async () => {
    using source = listenDatagram({ transport: "unixgram" });
    await source.send(data, { transport: "unixpacket", path: "link/../sink-secret" });
  },
  "Socket.bind behind a link": () => {
    using socket = Socket.open("unix", "stream");
    socket.bind({ transport: "unix", path: "link/../f" });
    return places("f");
  },
  "Socket.connect behind a link, in bytes": async () => {
    using socket = Socket.open("unix", "stream");
    await socket.connect(Uint8Array.of(1, 0, ...new TextEncoder().encode("link/../live-secret"), 0));
  },
  "the secret itself": () => dialled(`${here}/../secret/live-secret`),
};

const outcomes: Record<string, string> = {};
for (const [name, attempt] of Object.entries(ATTEMPTS)) {
  Deno.chdir(here);
  try {
    outcomes[name] = String(await attempt() ?? "passes");
  } catch (error) {
    outcomes[name] = (error as Error).name;
  }
}
console.log(JSON.stringify(outcomes));
