/**
 * The parts of the demo that are about Unix sockets: a server at a path, and what only they can carry.
 *
 * @module
 */
import {
  connect,
  isSocketError,
  listen,
  listenDatagram,
  type SeqpacketConn,
  socketPair,
  type UdpSocket,
  type UnixListener,
} from "../../mod.ts";
import type { Shown } from "./shown.ts";

/** A grant for the network names a Unix socket by its whole path, so that it cannot be in a folder made for this run. */
const PATH = "/tmp/berkeley-demo.sock";
const MODE = 0o600;
const LOOPBACK = "127.0.0.1";

/** How long to wait for what is done at once, and between two tries, in milliseconds. */
const PATIENCE = 1500;
const PAUSE = 10;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** One server at a path after the other: the first leaves it behind as if it had been killed. */
export async function listenAtPath(): Promise<Shown[]> {
  using first = await takePath({ unlinkOnClose: false });
  const file = fileAtPath();
  const shown = [
    {
      what: `A server listens at ${PATH}, for this user only`,
      true: file?.mode === MODE,
      seen: [`permission bits ${file?.mode.toString(8)}, in force before anyone could connect`],
    },
    await showConnection(first),
    showRefusal("While it lives, nobody else gets its path, not even by replaceStale", { replaceStale: true }),
  ];
  first.close();
  shown.push(showRefusal("The path that it leaves behind is in the way, as ever", {}));

  using second = await takePath({});
  const { true: answers } = await showConnection(second);
  const replaced = fileAtPath();
  second.close();
  return [
    ...shown,
    { what: "With replaceStale it is replaced", true: answers && replaced?.identity !== file?.identity },
    { what: "An orderly close removes the path", true: fileAtPath()?.identity !== replaced?.identity },
  ];
}

/** Messages that keep their boundaries, a socket that goes from hand to hand, and who is at the other end. */
export async function passDescriptors(): Promise<Shown[]> {
  let pair: [SeqpacketConn, SeqpacketConn];
  try {
    pair = socketPair("seqpacket");
  } catch (error) {
    if (!isSocketError(error) || error.code !== "EPROTONOSUPPORT") throw error;
    return [{ what: "This system has no such sockets, and says so", true: true, seen: [error.message] }];
  }
  using here = pair[0];
  using there = pair[1];
  for (const conn of pair) conn.setDeadline(soon());
  return [await showPassing(here, there), showCredentials(there), await showBoundaries(here, there)];
}

/** Somebody connects, and is echoed. */
async function showConnection(listener: UnixListener): Promise<Shown> {
  using client = await connect({ transport: "unix", path: PATH, deadline: soon() });
  using server = await listener.accept();
  for (const conn of [client, server]) conn.setDeadline(soon());
  const echoing = server.readable.pipeTo(server.writable);
  await client.write(encoder.encode("hello"));
  await client.closeWrite();
  const heard = await new Response(client.readable).text();
  await echoing;
  return {
    what: "A client is echoed",
    true: heard === "hello",
    seen: [`"hello" came back as ${JSON.stringify(heard)}`],
  };
}

function showRefusal(what: string, options: { replaceStale?: boolean }): Shown {
  try {
    listen({ transport: "unix", path: PATH, ...options }).close();
    return { what, true: false, seen: ["it was let in"] };
  } catch (error) {
    const inUse = error instanceof Deno.errors.AddrInUse && isSocketError(error) && error.code === "EADDRINUSE";
    return { what, true: inUse, seen: [String(error)] };
  }
}

/** A UDP socket that is bound here is closed here, and answers there. */
async function showPassing(here: SeqpacketConn, there: SeqpacketConn): Promise<Shown> {
  using bound = listenDatagram({ transport: "udp", hostname: LOOPBACK });
  const { port } = bound.addr;
  await here.sendMessage({ data: encoder.encode("take this"), fds: [bound] });
  bound.close();

  const message = await there.receiveMessage();
  using passed = message!.fds[0]!.open() as UdpSocket;
  using client = listenDatagram({ transport: "udp", hostname: LOOPBACK });
  for (const socket of [passed, client]) socket.setReadDeadline(soon());
  await client.send(encoder.encode("still there?"), { transport: "udp", hostname: LOOPBACK, port });
  const [question, from] = await passed.receive();
  await passed.send(encoder.encode("yes"), from);
  const [answer, answerer] = await client.receive();
  return {
    what: `A UDP socket bound to ${LOOPBACK}:${port} is handed over, closed, and goes on in other hands`,
    true: answerer.port === port && decoder.decode(question) === "still there?" && decoder.decode(answer) === "yes",
    seen: [`${answerer.hostname}:${answerer.port} answered "${decoder.decode(answer)}"`],
  };
}

function showCredentials(conn: SeqpacketConn): Shown {
  const { pid, uid, gid } = conn.peerCredentials();
  return {
    what: "The system says who is at the other end",
    true: pid === Deno.pid,
    seen: [`process ${pid}, user ${uid}, group ${gid}`],
  };
}

/** The empty one is a message, and not the end. */
async function showBoundaries(here: SeqpacketConn, there: SeqpacketConn): Promise<Shown> {
  for (const length of [3, 0, 5]) await here.send(new Uint8Array(length));
  here.close();
  const lengths: (number | null)[] = [];
  do lengths.push((await there.receive())?.length ?? null); while (lengths.at(-1) !== null);
  return {
    what: "Messages of 3, 0 and 5 bytes arrive as they were sent, and then the end",
    true: JSON.stringify(lengths) === "[3,0,5,null]",
    seen: [`received ${lengths.map((length) => length ?? "the end").join(", ")}`],
  };
}

/** Listens at the path as soon as no other run of this program does. */
async function takePath(options: { unlinkOnClose?: boolean }): Promise<UnixListener> {
  const limit = Date.now() + PATIENCE;
  for (;;) {
    try {
      return listen({ transport: "unix", path: PATH, mode: MODE, replaceStale: true, ...options });
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse) || Date.now() > limit) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

/** The file at the path. Another one there later has another identity. */
function fileAtPath(): { identity: string; mode: number } | null {
  try {
    const { ino, mtime, mode } = Deno.lstatSync(PATH);
    return { identity: `${ino} ${mtime?.getTime()}`, mode: mode! & 0o777 };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

function soon(): Date {
  return new Date(Date.now() + PATIENCE);
}
