/**
 * Closes the poller's own epoll(7) while sockets wait for it. Prints what each of them was told, and whether a socket
 * works afterwards.
 *
 * @module
 */
import { isSocketError, listen, listenDatagram } from "../../../mod.ts";
import { libc } from "../../../ffi/libc/libc.ts";
import { settled } from "../../support/turns.ts";

/** The descriptors of this process that are epoll's. */
function epolls(): number[] {
  const folder = "/proc/self/fd";
  const numbers = Array.from(Deno.readDirSync(folder), ({ name }) => Number(name));
  return numbers.filter((fd) => {
    try {
      return Deno.readLinkSync(`${folder}/${fd}`) === "anon_inode:[eventpoll]";
    } catch {
      return false;
    }
  });
}

const runtime = epolls();
using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
using listener = listen({ hostname: "127.0.0.1", port: 0 });
const waiting = Promise.allSettled([udp.receive(), udp.receive(), listener.accept()]);
await settled();
const [poller, ...rest] = epolls().filter((fd) => !runtime.includes(fd));
if (poller === undefined || rest.length > 0) throw new Error("Expected one epoll of the module");
libc().c.close(poller);
const told = (await waiting).map((outcome) => {
  if (outcome.status === "fulfilled") return "fulfilled";
  const error: unknown = outcome.reason;
  return isSocketError(error) ? `${error.name} ${error.code} ${error.syscall}` : String(error);
});
const receiving = udp.receive();
await settled();
await udp.send(new Uint8Array(3), udp.addr);
const [data] = await receiving;
console.log(JSON.stringify({ told, received: data.length }));
