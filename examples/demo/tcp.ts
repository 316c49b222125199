/**
 * The parts of the demo that are about TCP: what a connection says and hears, and dials that are given up.
 *
 * @module
 */
import {
  connect,
  connectAny,
  type Control,
  isSocketError,
  listen,
  type Socket,
  sockopt,
  type TcpConn,
  type TcpListener,
} from "../../mod.ts";
import type { Shown } from "./shown.ts";

const LOOPBACK = "127.0.0.1";
const MIB = 1 << 20;

/** How many dials at once, and which of them has somebody to answer it. */
const DIALS = 10;
const ANSWERED = 6;

/** How long to wait for what will not come, and for what loopback does at once, in milliseconds. */
const SOON = 50;
const PATIENCE = 1000;

/** One listener and a connection to it: options before bind and connect, an echo, a deadline, the two ways to part. */
export async function listenAndDial(): Promise<Shown[]> {
  const called: string[] = [];
  const control: Control = (socket, network, address) => {
    socket.setOption(sockopt.SO_KEEPALIVE, true);
    called.push(`${network} ${"port" in address ? `${address.hostname}:${address.port}` : address.path}`);
  };
  using listener = listen({ hostname: LOOPBACK, port: 0, control });
  using client = await connect({ ...within(), port: listener.addr.port, control });
  using server = await listener.accept();
  const { port } = listener.addr;
  const set = [listener, client].map(({ socket }) => socket.getOption(sockopt.SO_KEEPALIVE));
  const names = [`tcp4 ${LOOPBACK}:0`, `tcp4 ${LOOPBACK}:${port}`];

  const echoing = echo(server);
  echoing.catch(() => {}); // Whoever awaits it below learns of its failure.
  const shown = [
    {
      what: "One hook sets an option before bind and before connect",
      true: set.every(Boolean) && names.every((name, index) => called[index] === name) && called.length === 2,
      seen: [`control was called for ${called.join(" and for ")}`],
    },
    {
      what: `1 MiB is echoed whole by port ${port}, which the system chose`,
      true: port > 0 && await echoes(client, MIB),
    },
    await showDeadline(client),
    await showEnd(client),
    await showReset(listener),
  ];
  await echoing;
  return shown;
}

/** Dials that get no answer, since nobody accepts and the listener's queue is full. */
export async function giveUpDials(): Promise<Shown[]> {
  using open = new DisposableStack();
  const full = open.use(listen({ hostname: LOOPBACK, port: 0, tcpBacklog: 1 }));
  const alive = open.use(listen({ hostname: LOOPBACK, port: 0 }));
  return [await showCancelledDial(open, full), await showRace(full, alive)];
}

async function showDeadline(client: TcpConn): Promise<Shown> {
  const what = "A read deadline ends a read that finds nothing, and the connection goes on";
  const started = performance.now();
  client.setReadDeadline(new Date(Date.now() + SOON));
  const error = await client.read(new Uint8Array(1)).then(() => null, (error: unknown) => error);
  const took = performance.now() - started;
  client.setReadDeadline(null);
  const timedOut = error instanceof Deno.errors.TimedOut && isSocketError(error) && error.timeout;
  return {
    what,
    true: timedOut && took >= SOON - 2 && took < PATIENCE && await echoes(client, 5),
    seen: [`${error} after ${took.toFixed(0)} ms of ${SOON}`],
  };
}

async function showEnd(client: TcpConn): Promise<Shown> {
  await client.closeWrite(); // The echo ends, and closes its end.
  client.setReadDeadline(new Date(Date.now() + PATIENCE));
  const read = await client.read(new Uint8Array(1));
  return { what: "A close is read as the end: null", true: read === null };
}

async function showReset(listener: TcpListener): Promise<Shown> {
  using client = await connect({ ...within(), port: listener.addr.port });
  const server = await listener.accept();
  server.setLinger(0);
  server.close();
  client.setReadDeadline(new Date(Date.now() + PATIENCE));
  const error = await client.read(new Uint8Array(1)).then((length) => `read ${length}`, (error: unknown) => error);
  return {
    what: "A reset is never read as the end: it is ConnectionReset",
    true: error instanceof Deno.errors.ConnectionReset,
    seen: [String(error)],
  };
}

/** Fills the queue, with dials that succeed until one hangs. */
async function showCancelledDial(open: DisposableStack, full: TcpListener): Promise<Shown> {
  const what = "A dial that hangs is cancelled by its signal, with the signal's reason";
  const reason = new Error("waited long enough");
  for (let dial = 0; dial < DIALS; dial++) {
    const cancel = new AbortController();
    const timer = setTimeout(() => cancel.abort(reason), SOON);
    const sockets: Socket[] = [];
    const control: Control = (socket) => void sockets.push(socket);
    try {
      open.use(await connect({ port: full.addr.port, signal: cancel.signal, control }));
    } catch (error) {
      const closed = sockets.length === 1 && !sockets.some(isOpen);
      return {
        what,
        true: error === reason && closed,
        seen: [`${error}; its socket is ${closed ? "closed" : "still open"}`],
      };
    } finally {
      clearTimeout(timer);
    }
  }
  return { what, true: false, seen: [`none of ${DIALS} dials did hang`] };
}

/** Nine dials that would hang, and one that does not. */
async function showRace(full: TcpListener, alive: TcpListener): Promise<Shown> {
  const sockets: Socket[] = [];
  const candidates = Array.from({ length: DIALS }, (_, dial) => ({
    port: dial === ANSWERED ? alive.addr.port : full.addr.port,
    control: (socket: Socket) => void (sockets[dial] = socket),
  }));
  const started = performance.now();
  using winner = await connectAny(candidates, { signal: AbortSignal.timeout(PATIENCE) });
  const took = performance.now() - started;
  const open = sockets.flatMap((socket, dial) => isOpen(socket) ? [dial] : []);
  return {
    what: `Of ${DIALS} dials at once the first connection wins; the others are cancelled and closed`,
    true: sockets.length === DIALS && open.length === 1 && winner.socket.fd === sockets[ANSWERED]!.fd,
    seen: [`open after ${took.toFixed(1)} ms: dial ${open.map((dial) => dial + 1).join(", ")} of ${DIALS}`],
  };
}

/** Echoes until the end. */
async function echo(conn: TcpConn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  for (let length = await conn.read(buffer); length !== null; length = await conn.read(buffer)) {
    await conn.write(buffer.subarray(0, length));
  }
  conn.close();
}

/** Whether that many bytes come back as they were sent. */
async function echoes(conn: TcpConn, length: number): Promise<boolean> {
  const sent = Uint8Array.from({ length }, (_, index) => index % 251);
  const back = new Uint8Array(length);
  conn.setDeadline(new Date(Date.now() + PATIENCE));
  const writing = conn.write(sent);
  for (let filled = 0; filled < length;) {
    const read = await conn.read(back.subarray(filled));
    if (read === null) break;
    filled += read;
  }
  await writing;
  conn.setDeadline(null);
  return back.every((byte, index) => byte === sent[index]);
}

function within(): { deadline: Date } {
  return { deadline: new Date(Date.now() + PATIENCE) };
}

function isOpen(socket: Socket): boolean {
  try {
    return socket.fd >= 0;
  } catch (error) {
    if (error instanceof Deno.errors.BadResource) return false;
    throw error;
  }
}
