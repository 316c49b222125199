/**
 * Descriptors whose OwnedFd is collected. Run with `--v8-flags=--expose-gc`; prints how many are open still, of 20 that were kept nowhere,
 * 20 that moved to a socket, and 20 that were given away; and how many datagrams the latter two received.
 *
 * @module
 */
import { fromFd, listenDatagram, type OwnedFd, socketPair, type UdpSocket } from "../../../mod.ts";

const COUNT = 20;
const { gc } = globalThis as typeof globalThis & { gc: () => void };

function isOpen(inode: string): boolean {
  return Array.from(Deno.readDirSync("/proc/self/fd")).some(({ name }) => target(Number(name)) === inode);
}

function target(fd: number): string {
  try {
    return Deno.readLinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return "";
  }
}

async function receive(): Promise<OwnedFd[]> {
  const [one, two] = socketPair("stream");
  const sockets = Array.from({ length: COUNT }, () => listenDatagram({ transport: "udp", hostname: "127.0.0.1" }));
  await one.sendMessage({ data: Uint8Array.of(1), fds: sockets });
  const message = await two.receiveMessage({ maxFds: COUNT });
  for (const each of [one, two, ...sockets]) each.close();
  return message!.fds;
}

async function collect(): Promise<void> {
  for (let round = 0; round < 10; round++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

const kept = (await receive()).map(({ fd }) => target(fd));
const moved = (await receive()).map((owned) => fromFd(owned) as UdpSocket);
const numbers = (await receive()).map((owned) => owned.detach());
await collect();
const detached = numbers.map((fd) => fromFd(fd) as UdpSocket);
await collect();

let received = 0;
for (const socket of [...moved, ...detached]) {
  await socket.send(Uint8Array.of(1), socket.addr);
  received += (await socket.receive())[0].length;
}
console.log(JSON.stringify({
  kept: kept.filter(isOpen).length,
  moved: moved.filter((socket) => isOpen(target(socket.socket.fd))).length,
  detached: detached.filter((socket) => isOpen(target(socket.socket.fd))).length,
  received,
}));
for (const socket of [...moved, ...detached]) socket.close();
