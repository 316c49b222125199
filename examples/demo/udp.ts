/**
 * The parts of the demo that are about UDP: sockets that share a port, to send multicast from it and to share the load
 * on it.
 *
 * @module
 */
import { type Control, isSocketError, listenDatagram, sockopt, type UdpSocket } from "../../mod.ts";
import { bars, type Shown } from "./shown.ts";

const LOOPBACK = "127.0.0.1";
const PORT = 12345;
const GROUP: Deno.NetAddr = { transport: "udp", hostname: "239.255.255.250", port: 3702 };

/** How many senders, each with a port of its own, and how many datagrams each of them sends. */
const SOURCES = 64;
const DATAGRAMS = 4;

/** How long to wait for what loopback delivers at once, in milliseconds. */
const PATIENCE = 1500;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Go's ListenConfig.Control. `reusePort: true` sets the same option where the system spreads load by it; this is for sharing alone. */
const share: Control = (socket) => socket.setOption(sockopt.SO_REUSEPORT, true);

/** Two sockets on one port, of which one listens and the other sends multicast from it. */
export async function sharePort(): Promise<Shown[]> {
  using first = new Program();
  const shown = [first.showPort(), showRefusal(), await first.showMulticast(), await first.showListening()];
  // While the first still has everything open, as if somebody had started the program again.
  using second = new Program();
  const again = [second.showPort(), await second.showMulticast(), await second.showListening()];
  return [...shown, {
    what: "A second run at the same time works too",
    true: again.every((one) => one.true),
    seen: again.flatMap(({ seen }) => seen ?? []),
  }];
}

/** Four sockets on one port, over which the system spreads what comes. */
export async function shareLoad(): Promise<Shown[]> {
  const port = freePort();
  using open = new DisposableStack();
  let sockets: UdpSocket[];
  try {
    sockets = Array.from({ length: 4 }, () => open.use(openOn(port, { reusePort: true })));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotSupported)) throw error;
    return [{
      what: "This system would not spread load, and the request is refused",
      true: true,
      seen: [error.message],
    }];
  }
  const counts = sockets.map(() => 0);
  const homes = new Map<number, Set<UdpSocket>>();
  const complete = Promise.withResolvers<void>();
  const patience = setTimeout(complete.resolve, PATIENCE);
  const receiving = sockets.map(async (socket, index) => {
    for await (const [, from] of socket) {
      counts[index]!++;
      homes.set(from.port, (homes.get(from.port) ?? new Set()).add(socket));
      if (sum(counts) === SOURCES * DATAGRAMS) complete.resolve();
    }
  });
  await sendFromManyPorts("work", port, DATAGRAMS);
  await complete.promise;
  clearTimeout(patience);
  open.dispose(); // Ends the loops above.
  await Promise.all(receiving);
  return [
    {
      what: `${
        SOURCES * DATAGRAMS
      } datagrams from ${SOURCES} source ports reached all four sockets on ${LOOPBACK}:${port}`,
      true: counts.every((count) => count > 0),
      seen: bars(counts, (index) => `socket ${index + 1}`),
    },
    { what: "None was lost", true: sum(counts) === SOURCES * DATAGRAMS },
    {
      what: "What comes from one source port stays with one socket",
      true: homes.size === SOURCES && [...homes.values()].every(({ size }) => size === 1),
    },
  ];
}

/** The program of Go's ListenConfig.Control: two sockets on one port, and two members of the group to hear it. */
class Program implements Disposable {
  readonly #open = new DisposableStack();
  readonly #text = `test message (run ${crypto.randomUUID().slice(0, 8)})`;
  readonly #sender = this.#open.use(openOn(PORT, { control: share }));
  readonly #listener = this.#open.use(openOn(PORT, { control: share }));
  readonly #members = [this.#open.use(joinGroup()), this.#open.use(joinGroup())];

  showPort(): Shown {
    const ports = [this.#sender, this.#listener].map(({ addr }) => addr.port);
    return {
      what: `Two sockets are bound to ${LOOPBACK}:${PORT}: one listens, the other sends`,
      true: ports.every((port) => port === PORT),
    };
  }

  async showMulticast(): Promise<Shown> {
    this.#sender.setMulticastInterface(LOOPBACK);
    await this.#sender.send(encoder.encode(this.#text), GROUP);
    const heard = await Promise.all(this.#members.map((member) => hear(member, this.#text, PATIENCE)));
    return {
      what: `"test message" went from port ${PORT} to both members of ${GROUP.hostname}:${GROUP.port}`,
      true: heard.every((from) => from?.hostname === LOOPBACK && from.port === PORT),
      seen: heard.map((from, index) =>
        from === null
          ? `member ${index + 1} heard nothing`
          : `member ${index + 1} heard "${this.#text}" from ${from.hostname}:${from.port}`
      ),
    };
  }

  /** Of what is sent to a shared port, each sharer hears a part; so it is sent from many. */
  async showListening(): Promise<Shown> {
    let from: Deno.NetAddr | null = null;
    for (let round = 0; round < 3 && from === null; round++) {
      await sendFromManyPorts(this.#text, PORT);
      from = await hear(this.#listener, this.#text, PATIENCE / 3);
    }
    const seen = from === null ? "it heard nothing" : `it heard "${this.#text}" from ${from.hostname}:${from.port}`;
    return { what: `The other one listens on port ${PORT} meanwhile`, true: from !== null, seen: [seen] };
  }

  [Symbol.dispose](): void {
    this.#open.dispose();
  }
}

/** What a person reads who forgot the option. */
function showRefusal(): Shown {
  const what = `Without the option, a third bind to ${LOOPBACK}:${PORT} fails and says why`;
  try {
    openOn(PORT).close();
    return { what, true: false, seen: ["it did not fail"] };
  } catch (error) {
    if (!isSocketError(error)) throw error;
    const { code, syscall, address, message } = error;
    const named = code === "EADDRINUSE" && syscall === "bind" && address === `${LOOPBACK}:${PORT}`;
    const told = message.includes(`${LOOPBACK}:${PORT}`) && message.includes("reusePort: true");
    return { what, true: error instanceof Deno.errors.AddrInUse && named && told, seen: [message] };
  }
}

function openOn(port: number, options: { reusePort?: boolean; control?: Control } = {}): UdpSocket {
  return listenDatagram({ transport: "udp", hostname: LOOPBACK, port, loopback: true, ...options });
}

/** Bound to the group, a socket hears nothing else on that port, and any number of them may share it. */
function joinGroup(): UdpSocket {
  const socket = listenDatagram({ transport: "udp", hostname: GROUP.hostname, port: GROUP.port });
  socket.joinMulticast(GROUP.hostname, { interface: LOOPBACK });
  return socket;
}

/** A port that no other program has. A socket with SO_REUSEPORT and port 0 may be given one that another such socket has. */
function freePort(): number {
  using socket = openOn(0);
  return socket.addr.port;
}

/** Waits for this text, and passes over what other programs send. */
async function hear(socket: UdpSocket, text: string, patience: number): Promise<Deno.NetAddr | null> {
  socket.setReadDeadline(new Date(Date.now() + patience));
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

/** Sends from as many ports as there are sources: the system tells sharers apart by the sender. */
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
