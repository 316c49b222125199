/**
 * Does what a program does with sockets, with a forced collection wherever memory could go too early. Run with
 * `--v8-flags=--expose-gc`; it prints "end" when all that was received was what was sent.
 *
 * @module
 */
import { listenDatagram, resolveAddress, Socket, type UdpSocket } from "../../../mod.ts";
import { expectPattern, pattern } from "../../support/bytes.ts";
import { settled } from "../../support/turns.ts";
import { thisSystem } from "../../../ffi/libc/host.ts";

const SO_RCVBUF = thisSystem().options.SO_RCVBUF!;

const { gc } = globalThis as typeof globalThis & { gc: () => void };

/** Collects, and fills the memory that was freed with something else. */
function collect(): void {
  gc();
  Array.from({ length: 64 }, (_, index) => new Uint8Array(4096).fill(index));
  gc();
}

function open(): UdpSocket {
  return listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
}

/** Every buffer is a short-lived one. */
async function transient(): Promise<void> {
  using receiver = open();
  using sender = open();
  for (const [seed, length] of [0, 1, 63, 64, 65, 1500, 65_507].entries()) {
    await sender.send(pattern(length, seed), receiver.addr);
    collect();
    expectPattern((await receiver.receive(new Uint8Array(65_507)))[0], length, seed);
    await sender.send(pattern(length, seed), receiver.addr);
    collect();
    expectPattern((await receiver.receive())[0], length, seed);
    await sender.send(pattern(length, seed), receiver.addr);
    expectPattern((await receiver.receiveMessage()).data, length, seed);
  }
}

/** Nothing but the waiting receive names the buffer, its view or even the socket. */
async function waiting(): Promise<void> {
  const socket = open();
  const { addr } = socket;
  const received = Array.from({ length: 8 }, () => socket.receive(new Uint8Array(new ArrayBuffer(256), 64, 128)));
  using sender = open();
  for (let seed = 0; seed < 8; seed++) {
    collect();
    await settled();
    collect();
    await sender.send(pattern(100, seed), addr);
    collect();
    expectPattern((await received[seed]!)[0], 100, seed);
  }
  socket.close();
}

/** Unreferenced sockets still complete their operations. */
async function forgotten(): Promise<void> {
  const target = open();
  const arrived = target.receive();
  const { addr } = target;
  await (async () => {
    using sender = open();
    await sender.send(pattern(10, 1), addr);
  })();
  collect();
  expectPattern((await arrived)[0], 10, 1);
  target.close();
}

async function others(): Promise<void> {
  using member = listenDatagram({ transport: "udp", hostname: "239.255.51.1" });
  member.joinMulticast("239.255.51.1", { interface: "lo", source: "127.0.0.1" });
  collect();
  const lookups = Array.from({ length: 4 }, () => resolveAddress("udp", "localhost:9"));
  collect();
  for (const { port } of await Promise.all(lookups)) if (port !== 9) throw new Error(`Port ${port}`);
  using socket = Socket.open("inet", "dgram");
  socket.bind({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  for (let index = 0; index < 100; index++) {
    if (index % 10 === 0) collect();
    socket.setRawOption(SO_RCVBUF.level, SO_RCVBUF.name, 8192 + index);
    socket.getRawOption(SO_RCVBUF.level, SO_RCVBUF.name, 4);
  }
  const controller = new AbortController();
  const cut = socket.receive(new Uint8Array(64), { signal: controller.signal }).catch(() => "cut");
  collect();
  controller.abort();
  if (await cut !== "cut") throw new Error("An aborted receive received");
}

for (const step of [transient, waiting, forgotten, others]) {
  await step();
  collect();
}
console.log("end");
