/**
 * The parts of the demo for TCP: a connection, and dials that are cancelled.
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
import type { Check } from "./check.ts";

const LOOPBACK = "127.0.0.1";
const MIB = 1 << 20;

/** The number of dials at once, and the index of the one that is accepted. */
const DIALS = 10;
const ANSWERED = 6;

/** Timeouts of operations that are to expire, and of all others, in milliseconds. */
const SHORT_TIMEOUT = 50;
const TIMEOUT = 1000;

/** A listener and a connection to it: options before bind and connect, an echo, a deadline, an orderly end, a reset. */
export async function listenAndDial(): Promise<Check[]> {
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
  echoing.catch(() => {}); // Its failure is reported by the await below.
  const checks = [
    {
      claim: "One control hook sets an option before bind and before connect",
      passed: set.every(Boolean) && names.every((name, index) => called[index] === name) && called.length === 2,
      details: [`control was called for ${called.join(" and for ")}`],
    },
    {
      claim: `1 MiB is echoed by port ${port}, which the system chose`,
      passed: port > 0 && await echoes(client, MIB),
    },
    await checkDeadline(client),
    await checkEnd(client),
    await checkReset(listener),
  ];
  await echoing;
  return checks;
}

/** Dials that hang, because the listener's queue is full and nothing is accepted. */
export async function cancelDials(): Promise<Check[]> {
  using open = new DisposableStack();
  const full = open.use(listen({ hostname: LOOPBACK, port: 0, tcpBacklog: 1 }));
  const alive = open.use(listen({ hostname: LOOPBACK, port: 0 }));
  return [await checkCancelledDial(open, full), await checkRace(full, alive)];
}

async function checkDeadline(client: TcpConn): Promise<Check> {
  const claim = "A read deadline ends a waiting read, and the connection stays usable";
  const started = performance.now();
  client.setReadDeadline(new Date(Date.now() + SHORT_TIMEOUT));
  const error = await client.read(new Uint8Array(1)).then(() => null, (error: unknown) => error);
  const took = performance.now() - started;
  client.setReadDeadline(null);
  const timedOut = error instanceof Deno.errors.TimedOut && isSocketError(error) && error.timeout;
  return {
    claim,
    passed: timedOut && took >= SHORT_TIMEOUT - 2 && took < TIMEOUT && await echoes(client, 5),
    details: [`${error} after ${took.toFixed(0)} ms of ${SHORT_TIMEOUT}`],
  };
}

async function checkEnd(client: TcpConn): Promise<Check> {
  await client.closeWrite(); // The echo ends and closes its side.
  client.setReadDeadline(new Date(Date.now() + TIMEOUT));
  const read = await client.read(new Uint8Array(1));
  return { claim: "read() returns null after the peer has closed the connection", passed: read === null };
}

async function checkReset(listener: TcpListener): Promise<Check> {
  using client = await connect({ ...within(), port: listener.addr.port });
  const server = await listener.accept();
  server.setLinger(0);
  server.close();
  client.setReadDeadline(new Date(Date.now() + TIMEOUT));
  const error = await client.read(new Uint8Array(1)).then((length) => `read ${length}`, (error: unknown) => error);
  return {
    claim: "read() throws ConnectionReset after a reset, and never returns null",
    passed: error instanceof Deno.errors.ConnectionReset,
    details: [String(error)],
  };
}

/** Fills the queue with dials that succeed until one hangs. */
async function checkCancelledDial(open: DisposableStack, full: TcpListener): Promise<Check> {
  const claim = "A hanging dial is cancelled by its signal and rejects with the signal's reason";
  const reason = new Error("waited long enough");
  for (let dial = 0; dial < DIALS; dial++) {
    const cancel = new AbortController();
    const timer = setTimeout(() => cancel.abort(reason), SHORT_TIMEOUT);
    const sockets: Socket[] = [];
    const control: Control = (socket) => void sockets.push(socket);
    try {
      open.use(await connect({ port: full.addr.port, signal: cancel.signal, control }));
    } catch (error) {
      const closed = sockets.length === 1 && !sockets.some(isOpen);
      return {
        claim,
        passed: error === reason && closed,
        details: [`${error}; its socket is ${closed ? "closed" : "still open"}`],
      };
    } finally {
      clearTimeout(timer);
    }
  }
  return { claim, passed: false, details: [`none of ${DIALS} dials hung`] };
}

/** Nine dials that hang and one that does not. */
async function checkRace(full: TcpListener, alive: TcpListener): Promise<Check> {
  const sockets: Socket[] = [];
  const candidates = Array.from({ length: DIALS }, (_, dial) => ({
    port: dial === ANSWERED ? alive.addr.port : full.addr.port,
    control: (socket: Socket) => void (sockets[dial] = socket),
  }));
  const started = performance.now();
  using winner = await connectAny(candidates, { signal: AbortSignal.timeout(TIMEOUT) });
  const took = performance.now() - started;
  const open = sockets.flatMap((socket, dial) => isOpen(socket) ? [dial] : []);
  return {
    claim: `Of ${DIALS} concurrent dials the first connection wins; the others are cancelled and closed`,
    passed: sockets.length === DIALS && open.length === 1 && winner.socket.fd === sockets[ANSWERED]!.fd,
    details: [`open after ${took.toFixed(1)} ms: dial ${open.map((dial) => dial + 1).join(", ")} of ${DIALS}`],
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

/** Whether `length` bytes are echoed unchanged. */
async function echoes(conn: TcpConn, length: number): Promise<boolean> {
  const sent = Uint8Array.from({ length }, (_, index) => index % 251);
  const back = new Uint8Array(length);
  conn.setDeadline(new Date(Date.now() + TIMEOUT));
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
  return { deadline: new Date(Date.now() + TIMEOUT) };
}

function isOpen(socket: Socket): boolean {
  try {
    return socket.fd >= 0;
  } catch (error) {
    if (error instanceof Deno.errors.BadResource) return false;
    throw error;
  }
}
