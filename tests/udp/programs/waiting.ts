/**
 * Waits for a datagram and ends by itself where that wait does not hold the process: `waiting.ts <how>`.
 *
 * @module
 */
import { listenDatagram, type UdpSocket } from "../../../mod.ts";
import { settled } from "../../support/turns.ts";

function open(): UdpSocket {
  return listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
}

/** Receives one datagram and prints it; a rejection by close is ignored. */
function listen(socket: UdpSocket): void {
  socket.receive().then(([data]) => console.log("received", new TextDecoder().decode(data)), () => {});
}

const ways: Record<string, () => void | Promise<void>> = {
  "unref before"() {
    const socket = open();
    socket.unref();
    listen(socket);
  },
  async "unref while"() {
    const socket = open();
    listen(socket);
    await settled();
    socket.unref();
  },
  async "unref, ref, unref"() {
    const socket = open();
    socket.unref();
    listen(socket);
    await settled();
    socket.ref();
    await settled();
    socket.unref();
  },
  "unref and a timer"() {
    const socket = open();
    socket.unref();
    listen(socket);
    setTimeout(() => console.log("timer"), 20);
  },
  async "unref, then a datagram in time"() {
    const socket = open();
    socket.unref();
    const received = socket.receive();
    using sender = open();
    await settled();
    await sender.send(new TextEncoder().encode("in time"), socket.addr);
    // The timer holds the process for as long as the datagram takes.
    const timer = setInterval(() => {}, 1000);
    console.log("received", new TextDecoder().decode((await received)[0]));
    clearInterval(timer);
  },
  "two sockets, one ref, closed by a timer"() {
    const [quiet, loud] = [open(), open()];
    quiet.unref();
    listen(quiet);
    listen(loud);
    setTimeout(() => {
      console.log("timer");
      loud.close();
    }, 20);
  },
  ref() {
    const socket = open();
    listen(socket);
    console.log("port", socket.addr.port);
  },
};

addEventListener("unload", () => console.log("unloaded"));
await ways[Deno.args[0]!]!();
