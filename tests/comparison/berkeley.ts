// What this module can do: one JSON object of verdicts.
import {
  connect,
  DatagramBatch,
  fromFd,
  listen,
  listenDatagram,
  type PeerCredentials,
  Socket,
  socketPair,
  sockopt,
  type TcpListener,
} from "../../mod.ts";
import { ADDRESS, eyeballs, fullListener, INTERFACE, NAME, within } from "./node.mjs";

const LOOPBACK = "127.0.0.1";
const SECOND = 1000;
const text = new TextEncoder().encode("x");

const udp = (options: object = {}) => listenDatagram({ transport: "udp", hostname: LOOPBACK, ...options });

/** Joins a group on the interface, and sends to it from there. */
async function receivesGroup(group: string, hostname: string, source?: string): Promise<boolean> {
  using member = udp({ hostname: group });
  using _membership = member.joinMulticast(group, {
    interface: INTERFACE!,
    ...(source === undefined ? {} : { source }),
  });
  using sender = udp({ hostname, loopback: true });
  sender.setMulticastInterface(INTERFACE!);
  await sender.send(text, member.addr);
  member.setReadDeadline(SECOND);
  return (await member.receive())[0].length === 1;
}

const probes: Record<string, () => unknown> = {
  udpReusePort() {
    const { port } = udp({ reusePort: true }).addr;
    return udp({ port, reusePort: true }).addr.port === port;
  },
  tcpReusePort() {
    const { port } = listen({ hostname: LOOPBACK, port: 0, reusePort: true }).addr;
    return listen({ hostname: LOOPBACK, port, reusePort: true }).addr.port === port;
  },
  anyOption() {
    const control = (socket: Socket) => socket.setOption(sockopt.SO_KEEPALIVE, true);
    return listen({ hostname: LOOPBACK, port: 0, control }).socket.getOption(sockopt.SO_KEEPALIVE);
  },
  multicast: async () => await receivesGroup("239.255.77.1", ADDRESS!) && await receivesGroup("ff15::77", "::"),
  sourceSpecific: () => receivesGroup("232.1.77.1", ADDRESS!, ADDRESS!),
  async packetInfo() {
    const receiver = udp({ hostname: "0.0.0.0", packetInfo: true });
    await udp().send(text, { ...receiver.addr, hostname: "127.0.0.2" }, { ttl: 5 });
    const { destination, ttl, interfaceIndex } = await receiver.receiveMessage();
    return destination === "127.0.0.2" && ttl === 5 && interfaceIndex! > 0;
  },
  async manyAtOnce() {
    const receiver = udp();
    await udp().sendMany([{ data: text, addr: receiver.addr }, { data: text, addr: receiver.addr }]);
    return await receiver.receiveMany(new DatagramBatch()) === 2;
  },
  async offload() {
    const receiver = udp({ receiveOffload: true });
    await udp().sendSegments(new Uint8Array(4000), 1000, receiver.addr);
    return await receiver.receiveMany(new DatagramBatch()) === 4;
  },
  async localAddress() {
    const listener = listen({ hostname: LOOPBACK, port: 0 });
    await connect({ port: listener.addr.port, localAddress: { hostname: "127.0.0.9" } });
    return (await listener.accept()).remoteAddr.hostname === "127.0.0.9";
  },
  async deadlines() {
    const socket = udp();
    socket.setReadDeadline(20);
    return await socket.receive().catch((error) => error.timeout);
  },
  async cancelDial() {
    const { port, release } = await fullListener();
    const signal = AbortSignal.timeout(100);
    const failed = await connect({ port, signal }).catch((error) => error);
    release();
    return failed === signal.reason;
  },
  happyEyeballs: () => eyeballs((port: number) => connect({ hostname: NAME!, port })),
  async unixKinds() {
    for (const type of ["stream", "dgram", "seqpacket"] as const) {
      const [one, other] = socketPair(type as "stream");
      one.close();
      other.close();
    }
    const path = `/tmp/berkeley-comparison-${Deno.pid}`;
    for (const transport of ["unix", "seqpacket"] as const) listen({ transport: transport as "unix", path }).close();
    listenDatagram({ transport: "unixgram", path }).close();
    return await Promise.resolve("all");
  },
  async descriptorPassing() {
    const [one, other] = socketPair("stream");
    await one.sendMessage({ data: text, fds: [udp()] });
    return (await other.receiveMessage())!.fds.length === 1;
  },
  credentials() {
    const { pid }: PeerCredentials = socketPair("stream")[0].peerCredentials();
    return pid === Deno.pid;
  },
  inherited() {
    const listener = listen({ hostname: LOOPBACK, port: 0 });
    const { port } = listener.addr;
    return (fromFd(listener.detach()) as TcpListener).addr.port === port;
  },
  rawSockets: () => Socket.open("inet", "raw", 1).fd > 0,
};

const verdicts: Record<string, unknown> = {};
for (const [name, probe] of Object.entries(probes)) {
  try {
    verdicts[name] = await within(Promise.resolve().then(probe), 10 * SECOND);
  } catch (error) {
    verdicts[name] = false;
    console.error(`${name}: ${(error as Error).message}`);
  }
}
console.log(JSON.stringify(verdicts));
Deno.exit();
