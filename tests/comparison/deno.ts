// What Deno's own API can do, with and without --unstable-net: one JSON object of verdicts.
import { ADDRESS, eyeballs, fullListener, INTERFACE, NAME, within } from "./node.mjs";

const LOOPBACK = "127.0.0.1";
const unstable = "listenDatagram" in Deno;
const encoder = new TextEncoder();

function removePath(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error; // Closing has removed it.
  }
}

/** Members of a class or object, for what no call can try. */
function members(object: object): string {
  const names: string[] = [];
  for (let at = object; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    names.push(...Object.getOwnPropertyNames(at));
  }
  return names.join(" ");
}

async function receiveOne(socket: Deno.DatagramConn): Promise<unknown> {
  return await within(socket.receive(), 1000);
}

const udp = (options: object) => Deno.listenDatagram({ transport: "udp", hostname: LOOPBACK, port: 0, ...options });

const probes: Record<string, () => unknown> = {
  udpReusePort() {
    const { port } = udp({ reusePort: true }).addr as Deno.NetAddr;
    return (udp({ port, reusePort: true }).addr as Deno.NetAddr).port === port;
  },
  tcpReusePort() {
    if (!unstable) return false; // The option would end the process.
    const { port } = Deno.listen({ hostname: LOOPBACK, port: 0, reusePort: true }).addr;
    return Deno.listen({ hostname: LOOPBACK, port, reusePort: true }).addr.port === port;
  },
  anyOption() {
    return /sockopt|setOption|control\b/i.test(members(Deno.listen({ hostname: LOOPBACK, port: 0 })));
  },
  async multicast() {
    const { index } = Deno.networkInterfaces().map(({ name, scopeid }) => ({ name, index: scopeid }))
      .find(({ name, index }) => name === INTERFACE && index !== null)!;
    const group4 = udp({ hostname: "239.255.77.1", reuseAddress: true, loopback: true });
    await group4.joinMulticastV4("239.255.77.1", ADDRESS!);
    const sender4 = udp({ hostname: ADDRESS, loopback: true });
    await sender4.send(encoder.encode("x"), { ...group4.addr as Deno.NetAddr, hostname: "239.255.77.1" });
    if (!await receiveOne(group4)) return false;
    const group6 = udp({ hostname: "::", reuseAddress: true, loopback: true });
    await group6.joinMulticastV6("ff15::77", index!);
    await group6.send(encoder.encode("x"), { ...group6.addr as Deno.NetAddr, hostname: "ff15::77" });
    return Boolean(await receiveOne(group6));
  },
  sourceSpecific: () => /source/i.test(members(udp({}))),
  async packetInfo() {
    const [receiver, sender] = [udp({}), udp({})];
    await sender.send(encoder.encode("x"), receiver.addr);
    const [, from] = await receiver.receive();
    return Object.keys(from).some((name) => /dest|ttl|interface/i.test(name));
  },
  manyAtOnce: () => /many|batch/i.test(members(udp({}))),
  offload: () => /segment|gro|offload/i.test(members(udp({}))),
  async localAddress() {
    const listener = Deno.listen({ hostname: LOOPBACK, port: 0 });
    const options = { hostname: LOOPBACK, port: listener.addr.port, localAddress: "127.0.0.9" };
    await Deno.connect(options);
    return (await listener.accept()).remoteAddr.hostname === "127.0.0.9";
  },
  async deadlines() {
    const listener = Deno.listen({ hostname: LOOPBACK, port: 0 });
    const conn = await Deno.connect({ port: listener.addr.port });
    return /deadline|timeout/i.test(members(conn));
  },
  async cancelDial() {
    const { port, release } = await fullListener();
    const signal = AbortSignal.timeout(100);
    const failed = await within(Deno.connect({ hostname: LOOPBACK, port, signal }).catch((error) => error), 1000);
    release();
    return failed === signal.reason || (failed as Error)?.name === "TimeoutError";
  },
  happyEyeballs: () => eyeballs((port: number) => Deno.connect({ hostname: NAME!, port, autoSelectFamily: true })),
  unixKinds() {
    const path = `/tmp/berkeley-comparison-deno-${Deno.pid}`;
    Deno.listen({ transport: "unix", path }).close();
    removePath(path);
    try {
      Deno.listenDatagram({ transport: "unixpacket", path }).close();
      removePath(path);
      return "streams, datagrams";
    } catch {
      return "streams";
    }
  },
  descriptorPassing: () => /\bfd|rights|sendMessage/i.test(members(unixConn)),
  credentials: () => /cred|uid/i.test(members(unixConn)),
  inherited: () => /\bfd\b|fromFd/.test(members(Deno)),
  rawSockets: () => /\braw(Socket|Listen|Connect)/i.test(members(Deno)),
};

const path = `/tmp/berkeley-comparison-deno-${Deno.pid}-conn`;
const listener = Deno.listen({ transport: "unix", path });
const unixConn = await Deno.connect({ transport: "unix", path });
listener.close();
removePath(path);

const verdicts: Record<string, unknown> = {};
for (const [name, probe] of Object.entries(probes)) {
  try {
    verdicts[name] = await within(Promise.resolve().then(probe), 10_000);
  } catch (error) {
    verdicts[name] = false;
    console.error(`${name}: ${(error as Error).message}`);
  }
}
console.log(JSON.stringify(verdicts));
Deno.exit();
