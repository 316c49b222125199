/**
 * The parts of the demo for UDP: sockets that share a port, to send multicast from it and to distribute load.
 *
 * @module
 */
import { type Control, isSocketError, listenDatagram, sockopt, type UdpSocket } from "../../mod.ts";
import { bars, type Check } from "./check.ts";

const LOOPBACK = "127.0.0.1";
const PORT = 12345;
const GROUP: Deno.NetAddr = { transport: "udp", hostname: "239.255.255.250", port: 3702 };

/** The number of senders, each with a port of its own, and the number of datagrams that each sends. */
const SOURCES = 64;
const DATAGRAMS = 4;

/** Timeout of every receive, in milliseconds. */
const TIMEOUT = 1500;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** As Go's ListenConfig.Control. `reusePort: true` sets the same option, but only on systems where it spreads load. */
const share: Control = (socket) => socket.setOption(sockopt.SO_REUSEPORT, true);

/** Two sockets on one port: one receives, the other sends multicast from it. */
export async function sharePort(): Promise<Check[]> {
  using first = new Program();
  const checks = [first.checkPort(), checkRefusal(), await first.checkMulticast(), await first.checkListening()];
  // The first one still has all its sockets open, as if the program had been started twice.
  using second = new Program();
  const again = [second.checkPort(), await second.checkMulticast(), await second.checkListening()];
  return [...checks, {
    claim: "A second run at the same time works too",
    passed: again.every(({ passed }) => passed),
    details: again.flatMap(({ details }) => details ?? []),
  }];
}

/** Four sockets on one port, over which the system distributes the datagrams. */
export async function distributeLoad(): Promise<Check[]> {
  const port = freePort();
  using open = new DisposableStack();
  let sockets: UdpSocket[];
  try {
    sockets = Array.from({ length: 4 }, () => open.use(openOn(port, { reusePort: true })));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotSupported)) throw error;
    return [{
      claim: "This system does not spread load, and reusePort is refused",
      passed: true,
      details: [error.message],
    }];
  }
  const counts = sockets.map(() => 0);
  const homes = new Map<number, Set<UdpSocket>>();
  const complete = Promise.withResolvers<void>();
  const timer = setTimeout(complete.resolve, TIMEOUT);
  const receiving = sockets.map(async (socket, index) => {
    for await (const [, from] of socket) {
      counts[index]!++;
      homes.set(from.port, (homes.get(from.port) ?? new Set()).add(socket));
      if (sum(counts) === SOURCES * DATAGRAMS) complete.resolve();
    }
  });
  await sendFromManyPorts("datagram", port, DATAGRAMS);
  await complete.promise;
  clearTimeout(timer);
  open.dispose(); // Ends the loops above.
  await Promise.all(receiving);
  return [
    {
      claim: `${
        SOURCES * DATAGRAMS
      } datagrams from ${SOURCES} source ports reached all four sockets on ${LOOPBACK}:${port}`,
      passed: counts.every((count) => count > 0),
      details: bars(counts, (index) => `socket ${index + 1}`),
    },
    { claim: "No datagram was lost", passed: sum(counts) === SOURCES * DATAGRAMS },
    {
      claim: "All datagrams of one source port reach the same socket",
      passed: homes.size === SOURCES && [...homes.values()].every(({ size }) => size === 1),
    },
  ];
}

/** The example program for Go's ListenConfig.Control: two sockets on one port, and two members of the group. */
class Program implements Disposable {
  readonly #open = new DisposableStack();
  readonly #text = `test message (run ${crypto.randomUUID().slice(0, 8)})`;
  readonly #sender = this.#open.use(openOn(PORT, { control: share }));
  readonly #listener = this.#open.use(openOn(PORT, { control: share }));
  readonly #members = [this.#open.use(joinGroup()), this.#open.use(joinGroup())];

  checkPort(): Check {
    const ports = [this.#sender, this.#listener].map(({ addr }) => addr.port);
    return {
      claim: `Two sockets are bound to ${LOOPBACK}:${PORT}: one to receive, the other to send`,
      passed: ports.every((port) => port === PORT),
    };
  }

  async checkMulticast(): Promise<Check> {
    this.#sender.setMulticastInterface(LOOPBACK);
    await this.#sender.send(encoder.encode(this.#text), GROUP);
    const senders = await Promise.all(this.#members.map((member) => receiveText(member, this.#text, TIMEOUT)));
    return {
      claim: `"test message" went from port ${PORT} to both members of ${GROUP.hostname}:${GROUP.port}`,
      passed: senders.every((from) => from?.hostname === LOOPBACK && from.port === PORT),
      details: senders.map((from, index) =>
        from === null
          ? `member ${index + 1} received nothing`
          : `member ${index + 1} received "${this.#text}" from ${from.hostname}:${from.port}`
      ),
    };
  }

  /** Each socket on a shared port receives from some of the senders, so the text is sent from many ports. */
  async checkListening(): Promise<Check> {
    let from: Deno.NetAddr | null = null;
    for (let round = 0; round < 3 && from === null; round++) {
      await sendFromManyPorts(this.#text, PORT);
      from = await receiveText(this.#listener, this.#text, TIMEOUT / 3);
    }
    const detail = from === null
      ? "it received nothing"
      : `it received "${this.#text}" from ${from.hostname}:${from.port}`;
    return { claim: `The other socket receives on port ${PORT} meanwhile`, passed: from !== null, details: [detail] };
  }

  [Symbol.dispose](): void {
    this.#open.dispose();
  }
}

/** The error for a socket without the option. */
function checkRefusal(): Check {
  const claim = `Without the option, a third bind to ${LOOPBACK}:${PORT} fails with a hint`;
  try {
    openOn(PORT).close();
    return { claim, passed: false, details: ["it did not fail"] };
  } catch (error) {
    if (!isSocketError(error)) throw error;
    const { code, syscall, address, message } = error;
    const named = code === "EADDRINUSE" && syscall === "bind" && address === `${LOOPBACK}:${PORT}`;
    const hinted = message.includes(`${LOOPBACK}:${PORT}`) && message.includes("reusePort: true");
    return { claim, passed: error instanceof Deno.errors.AddrInUse && named && hinted, details: [message] };
  }
}

function openOn(port: number, options: { reusePort?: boolean; control?: Control } = {}): UdpSocket {
  return listenDatagram({ transport: "udp", hostname: LOOPBACK, port, loopback: true, ...options });
}

/** Opens a member of the group. Bound to the group's address, a socket receives nothing else on that port, and any number
 * of sockets can share it. */
function joinGroup(): UdpSocket {
  const socket = listenDatagram({ transport: "udp", hostname: GROUP.hostname, port: GROUP.port });
  socket.joinMulticast(GROUP.hostname, { interface: LOOPBACK });
  return socket;
}

/** Returns a free port. With SO_REUSEPORT and port 0 the system may choose one that another such socket has. */
function freePort(): number {
  using socket = openOn(0);
  return socket.addr.port;
}

/** Waits for a text, ignoring datagrams of other programs, and returns its sender; null after `timeout` milliseconds. */
async function receiveText(socket: UdpSocket, text: string, timeout: number): Promise<Deno.NetAddr | null> {
  socket.setReadDeadline(new Date(Date.now() + timeout));
  try {
    for (;;) {
      const [data, from] = await socket.receive();
      if (decoder.decode(data) === text) return from;
    }
  } catch (error) {
    if (error instanceof Deno.errors.TimedOut) return null;
    throw error;
  }
}

/** Sends from `SOURCES` ports: the system chooses among the sockets by the sender. */
async function sendFromManyPorts(text: string, port: number, times = 1): Promise<void> {
  using open = new DisposableStack();
  const senders = Array.from({ length: SOURCES }, () => open.use(openOn(0)));
  for (const sender of senders) {
    for (let time = 0; time < times; time++) {
      await sender.send(encoder.encode(text), { transport: "udp", hostname: LOOPBACK, port });
    }
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
