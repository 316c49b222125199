// What Bun's own API can do: one JSON object of verdicts.
import { ADDRESS, eyeballs, fullListener, INTERFACE, NAME, within } from "./node.mjs";

const LOOPBACK = "127.0.0.1";
const quiet = { data() {}, open() {}, error() {}, connectError() {} };

function members(object) {
  const names = [];
  for (let at = object; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    names.push(...Object.getOwnPropertyNames(at));
  }
  return names.join(" ");
}

/** A UDP socket, and the next datagram that it gets. */
async function udp(options = {}) {
  const { promise, resolve } = Promise.withResolvers();
  const socket = await Bun.udpSocket({
    hostname: LOOPBACK,
    ...options,
    socket: { data: (_, data, port, address) => resolve({ data, port, address }), error() {} },
  });
  return { socket, datagram: promise };
}

const probes = {
  async udpReusePort() {
    const { socket } = await udp({ reusePort: true });
    await udp({ port: socket.port, reusePort: true });
    return true;
  },
  tcpReusePort() {
    const { port } = Bun.listen({ hostname: LOOPBACK, port: 0, reusePort: true, socket: quiet });
    return Bun.listen({ hostname: LOOPBACK, port, reusePort: true, socket: quiet }).port === port;
  },
  anyOption: async () => /sockopt|setOption/i.test(members((await udp()).socket)),
  async multicast() {
    const four = await udp({ hostname: "0.0.0.0" });
    four.socket.addMembership("239.255.77.1", ADDRESS);
    four.socket.setMulticastInterface(ADDRESS);
    four.socket.setMulticastLoopback(true);
    four.socket.send("x", four.socket.port, "239.255.77.1");
    if (!await within(four.datagram, 1000)) return false;
    const six = await udp({ hostname: "::" });
    six.socket.addMembership("ff15::77", `::%${INTERFACE}`);
    six.socket.setMulticastInterface(`::%${INTERFACE}`);
    six.socket.setMulticastLoopback(true);
    six.socket.send("x", six.socket.port, "ff15::77");
    return Boolean(await within(six.datagram, 1000));
  },
  async sourceSpecific() {
    const { socket, datagram } = await udp({ hostname: "0.0.0.0" });
    socket.addSourceSpecificMembership(ADDRESS, "232.1.77.1", ADDRESS);
    const sender = await udp({ hostname: ADDRESS });
    sender.socket.setMulticastInterface(ADDRESS);
    sender.socket.setMulticastLoopback(true);
    sender.socket.send("x", socket.port, "232.1.77.1");
    return Boolean(await within(datagram, 1000));
  },
  packetInfo: async () =>
    /dest|ttl\b|pktinfo/i.test(members((await udp()).socket).replace("setTTL", "").replace("setMulticastTTL", "")),
  async manyAtOnce() {
    const { socket } = await udp();
    return socket.sendMany(["x", socket.port, LOOPBACK, "y", socket.port, LOOPBACK]) === 2;
  },
  offload: async () => /segment|gro|offload/i.test(members((await udp()).socket)),
  async localAddress() {
    const { promise, resolve } = Promise.withResolvers();
    const server = Bun.listen({ hostname: LOOPBACK, port: 0, socket: { ...quiet, open: resolve } });
    await Bun.connect({ hostname: LOOPBACK, port: server.port, localAddress: "127.0.0.9", socket: quiet });
    const conn = await within(promise);
    return conn && conn.remoteAddress === "127.0.0.9";
  },
  async deadlines() {
    const { promise, resolve } = Promise.withResolvers();
    const server = Bun.listen({ hostname: LOOPBACK, port: 0, socket: quiet });
    const conn = await Bun.connect({
      hostname: LOOPBACK,
      port: server.port,
      socket: { ...quiet, timeout: () => resolve(true) },
    });
    conn.timeout(1); // Seconds of silence.
    return await within(promise, 9000) ? "idle only" : false;
  },
  async cancelDial() {
    const { port, release } = await fullListener();
    const dialled = Bun.connect({ hostname: LOOPBACK, port, signal: AbortSignal.timeout(100), socket: quiet });
    const failed = await within(dialled.catch((error) => error), 1000);
    release();
    return Boolean(failed);
  },
  happyEyeballs: () =>
    eyeballs((port) =>
      Bun.connect({ hostname: NAME, port, socket: quiet }).then((socket) => ({ close: () => socket.end() }))
    ),
  unixKinds() {
    const path = `/tmp/berkeley-comparison-bun-${process.pid}`;
    Bun.listen({ unix: path, socket: quiet }).stop();
    return "streams";
  },
  descriptorPassing: () => false,
  credentials: () => /cred|uid/i.test(members(tcp)),
  async inherited() {
    // A listening descriptor of this process stands in for one that was inherited.
    return await within(inherit(), 5000);
  },
  rawSockets: () => /raw/i.test(Object.keys(Bun).filter((name) => /socket/i.test(name)).join(" ")),
};

async function inherit() {
  const { dlopen } = await import("bun:ffi");
  const { symbols } = dlopen("libc.so.6", {
    socket: { args: ["int", "int", "int"], returns: "int" },
    listen: { args: ["int", "int"], returns: "int" },
  });
  const fd = symbols.socket(2, 1, 0);
  symbols.listen(fd, 8); // listen(2) without bind(2) takes any port.
  const { promise, resolve } = Promise.withResolvers();
  const server = Bun.listen({ fd, socket: { ...quiet, open: resolve } });
  await Bun.connect({ hostname: LOOPBACK, port: server.port, socket: quiet });
  return Boolean(await promise);
}

const server = Bun.listen({ hostname: LOOPBACK, port: 0, socket: quiet });
const tcp = await Bun.connect({ hostname: LOOPBACK, port: server.port, socket: quiet });
const verdicts = {};
for (const [name, probe] of Object.entries(probes)) {
  try {
    verdicts[name] = await within(Promise.resolve().then(probe), 10_000);
  } catch (error) {
    verdicts[name] = false;
    console.error(`${name}: ${error.message}`);
  }
}
console.log(JSON.stringify(verdicts));
process.exit();
