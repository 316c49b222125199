/**
 * The parts of the demo for Unix sockets: a server at a path, descriptor passing and credentials.
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
import type { Check } from "./check.ts";

/** --allow-net names a Unix socket by its whole path, so the path is fixed and not in a temporary folder. */
const PATH = "/tmp/berkeley-demo.sock";
const MODE = 0o600;
const LOOPBACK = "127.0.0.1";

/** Timeout of every operation, and the pause between two attempts, in milliseconds. */
const TIMEOUT = 1500;
const PAUSE = 10;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Two servers at one path: the first leaves it behind as if it had been killed. */
export async function listenAtPath(): Promise<Check[]> {
  using first = await takePath({ unlinkOnClose: false });
  const file = fileAtPath();
  const own = [file?.identity];
  // Where the demo is stopped half-way, the path is to be removed all the same.
  addEventListener("unload", () => {
    const left = fileAtPath();
    if (left !== null && own.includes(left.identity)) Deno.removeSync(PATH);
  });
  const checks = [
    {
      claim: `A server listens at ${PATH}, accessible to this user only`,
      passed: file?.mode === MODE,
      details: [`permission bits ${file?.mode.toString(8)}, set before listen(2)`],
    },
    await checkConnection(first),
    checkRefusal("The path of a live server is not replaced, even with replaceStale", { replaceStale: true }),
  ];
  first.close();
  checks.push(checkRefusal("A stale path prevents bind by default", {}));

  using second = await takePath({});
  own.push(fileAtPath()?.identity);
  const { passed: answers } = await checkConnection(second);
  const replaced = fileAtPath();
  second.close();
  return [
    ...checks,
    { claim: "With replaceStale a stale path is replaced", passed: answers && replaced?.identity !== file?.identity },
    { claim: "An orderly close removes the path", passed: fileAtPath()?.identity !== replaced?.identity },
  ];
}

/** Message boundaries, a socket passed as a descriptor, and the credentials of the peer. */
export async function passDescriptors(): Promise<Check[]> {
  let pair: [SeqpacketConn, SeqpacketConn];
  try {
    pair = socketPair("seqpacket");
  } catch (error) {
    if (!isSocketError(error) || error.code !== "EPROTONOSUPPORT") throw error;
    return [{ claim: "This system has no seqpacket sockets and reports it", passed: true, details: [error.message] }];
  }
  using here = pair[0];
  using there = pair[1];
  for (const conn of pair) conn.setDeadline(soon());
  return [await checkPassing(here, there), checkCredentials(there), await checkBoundaries(here, there)];
}

/** One client connects and is echoed. */
async function checkConnection(listener: UnixListener): Promise<Check> {
  using client = await connect({ transport: "unix", path: PATH, deadline: soon() });
  using server = await listener.accept();
  for (const conn of [client, server]) conn.setDeadline(soon());
  await client.write(encoder.encode("hello"));
  await client.closeWrite();
  const [received] = await Promise.all([
    new Response(client.readable).text(),
    server.readable.pipeTo(server.writable),
  ]);
  return {
    claim: "A client is echoed",
    passed: received === "hello",
    details: [`sent "hello", received ${JSON.stringify(received)}`],
  };
}

function checkRefusal(claim: string, options: { replaceStale?: boolean }): Check {
  try {
    listen({ transport: "unix", path: PATH, ...options }).close();
    return { claim, passed: false, details: ["it did not fail"] };
  } catch (error) {
    const inUse = error instanceof Deno.errors.AddrInUse && isSocketError(error) && error.code === "EADDRINUSE";
    return { claim, passed: inUse, details: [String(error)] };
  }
}

/** A UDP socket is bound and closed at one end of a pair and answers at the other end. */
async function checkPassing(here: SeqpacketConn, there: SeqpacketConn): Promise<Check> {
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
    claim: `A UDP socket bound to ${LOOPBACK}:${port} is passed, closed by the sender, and used by the receiver`,
    passed: answerer.port === port && decoder.decode(question) === "still there?" && decoder.decode(answer) === "yes",
    details: [`${answerer.hostname}:${answerer.port} answered "${decoder.decode(answer)}"`],
  };
}

function checkCredentials(conn: SeqpacketConn): Check {
  const { pid, uid, gid } = conn.peerCredentials();
  return {
    claim: "The system reports the credentials of the peer",
    passed: pid === Deno.pid,
    details: [`process ${pid}, user ${uid}, group ${gid}`],
  };
}

/** The empty message is not the end. */
async function checkBoundaries(here: SeqpacketConn, there: SeqpacketConn): Promise<Check> {
  for (const length of [3, 0, 5]) await here.send(new Uint8Array(length));
  here.close();
  const lengths: (number | null)[] = [];
  do lengths.push((await there.receive())?.length ?? null); while (lengths.at(-1) !== null);
  return {
    claim: "Messages of 3, 0 and 5 bytes keep their boundaries, and the end follows",
    passed: JSON.stringify(lengths) === "[3,0,5,null]",
    details: [`received ${lengths.map((length) => length ?? "the end").join(", ")}`],
  };
}

/** Listens at the path, waiting for another run of this program to release it. */
async function takePath(options: { unlinkOnClose?: boolean }): Promise<UnixListener> {
  const limit = Date.now() + TIMEOUT;
  for (;;) {
    try {
      return listen({ transport: "unix", path: PATH, mode: MODE, replaceStale: true, ...options });
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse) || Date.now() > limit) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

/** Identity and permission bits of the file at the path; null without one. */
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
  return new Date(Date.now() + TIMEOUT);
}
