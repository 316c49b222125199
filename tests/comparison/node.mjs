// What node:dgram, node:net and node:child_process can do, in the runtime that runs this: one JSON object of verdicts.
import { fork, spawn } from "node:child_process";
import dgram from "node:dgram";
import net from "node:net";
import process from "node:process";

const LOOPBACK = "127.0.0.1";
const TIMEOUT = 3000;
/** An interface that does multicast, its address, and a name of ::1 and 127.0.0.1: main.ts makes them. */
export const { INTERFACE, ADDRESS, NAME } = process.env;

/** Resolves to false where something is not done in time. */
export function within(promise, milliseconds = TIMEOUT) {
  let timer;
  const late = new Promise((resolve) => timer = setTimeout(resolve, milliseconds, false));
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export const once = (emitter, event) =>
  new Promise((resolve, reject) => {
    emitter.once(event, resolve);
    emitter.once("error", reject);
  });

async function bind(socket, port = 0, address = LOOPBACK) {
  socket.bind(port, address);
  await once(socket, "listening");
  return socket;
}

export async function listen(options) {
  const server = net.createServer();
  server.listen(options);
  await once(server, "listening");
  return server;
}

async function receives(receiver, send) {
  const message = new Promise((resolve) => receiver.once("message", (data, from) => resolve({ data, from })));
  await send();
  return await within(message, 1000);
}

export const probes = {
  async udpReusePort() {
    const one = await bind(dgram.createSocket({ type: "udp4", reusePort: true }));
    const two = await bind(dgram.createSocket({ type: "udp4", reusePort: true }), one.address().port);
    return two.address().port === one.address().port;
  },
  async tcpReusePort() {
    const one = await listen({ host: LOOPBACK, port: 0, reusePort: true });
    const two = await listen({ host: LOOPBACK, port: one.address().port, reusePort: true, exclusive: true });
    return two.address().port === one.address().port;
  },
  anyOption() {
    const names = [dgram.Socket, net.Socket, net.Server].flatMap(({ prototype }) =>
      Object.getOwnPropertyNames(prototype)
    );
    return names.some((name) => /sockopt|setoption|control$/i.test(name));
  },
  async multicast() {
    for (const [type, group, local] of [["udp4", "239.255.77.1", ADDRESS], ["udp6", "ff15::77", `::%${INTERFACE}`]]) {
      const receiver = await bind(dgram.createSocket({ type, reuseAddr: true }), 0, group);
      receiver.addMembership(group, local);
      const sender = await bind(dgram.createSocket(type), 0, type === "udp4" ? ADDRESS : "::");
      sender.setMulticastInterface(local);
      sender.setMulticastLoopback(true);
      const got = await receives(receiver, () => sender.send("x", receiver.address().port, group));
      if (!got) return false;
    }
    return true;
  },
  async sourceSpecific() {
    const group = "232.1.77.1";
    const receiver = await bind(dgram.createSocket({ type: "udp4", reuseAddr: true }), 0, group);
    receiver.addSourceSpecificMembership(LOOPBACK, group, LOOPBACK);
    const sender = await bind(dgram.createSocket("udp4"));
    sender.setMulticastInterface(LOOPBACK);
    sender.setMulticastLoopback(true);
    return Boolean(await receives(receiver, () => sender.send("x", receiver.address().port, group)));
  },
  async packetInfo() {
    const receiver = await bind(dgram.createSocket("udp4"), 0, "0.0.0.0");
    const sender = await bind(dgram.createSocket("udp4"));
    const { from } = await receives(receiver, () => sender.send("x", receiver.address().port, LOOPBACK));
    return Object.keys(from).some((name) => /dest|ttl|interface|info/i.test(name));
  },
  manyAtOnce() {
    return Object.getOwnPropertyNames(dgram.Socket.prototype).some((name) => /many|batch|mmsg/i.test(name));
  },
  offload() {
    return Object.getOwnPropertyNames(dgram.Socket.prototype).some((name) => /segment|gro|gso|offload/i.test(name));
  },
  async localAddress() {
    const server = await listen({ host: LOOPBACK, port: 0 });
    const accepted = once(server, "connection");
    net.connect({ port: server.address().port, host: LOOPBACK, localAddress: "127.0.0.9" }).on("error", () => {});
    const conn = await within(accepted);
    return conn && conn.remoteAddress === "127.0.0.9";
  },
  async deadlines() {
    // A deadline expires though bytes keep coming; an idle timeout does not.
    const server = await listen({ host: LOOPBACK, port: 0 });
    server.on("connection", (conn) => {
      const timer = setInterval(() => conn.write("x"), 50);
      conn.on("close", () => clearInterval(timer)).on("error", () => {});
    });
    const busy = net.connect({ port: server.address().port, host: LOOPBACK, timeout: 200 });
    busy.resume();
    const expired = await within(once(busy, "timeout").then(() => true), 600);
    busy.destroy();
    if (expired) return true;
    const quiet = await listen({ host: LOOPBACK, port: 0 });
    const idle = net.connect({ port: quiet.address().port, host: LOOPBACK, timeout: 200 });
    const timedOut = await within(once(idle, "timeout").then(() => true), 1000);
    idle.destroy();
    return timedOut ? "idle only" : false;
  },
  async cancelDial() {
    // A listener whose queue is full does not answer.
    const { port, release } = await fullListener();
    const socket = net.connect({ port, host: LOOPBACK });
    setTimeout(() => socket.destroy(), 100);
    const closed = await within(new Promise((resolve) => socket.once("close", () => resolve(true))), 1000);
    release();
    return closed && !socket.connecting;
  },
  async happyEyeballs() {
    return await eyeballs((port) => {
      const socket = net.connect({ host: NAME, port, autoSelectFamily: true, autoSelectFamilyAttemptTimeout: 250 });
      socket.on("error", () => {});
      return once(socket, "connect").then(() => socket);
    });
  },
  async unixKinds() {
    const path = `/tmp/berkeley-comparison-${process.pid}.sock`;
    const server = await listen({ path });
    const accepted = once(server, "connection");
    const client = net.connect({ path });
    const works = Boolean(await within(accepted));
    client.destroy();
    server.close();
    return works ? "streams" : false;
  },
  async descriptorPassing() {
    // To a child of one's own, over the channel that fork() makes.
    const server = await listen({ host: LOOPBACK, port: 0 });
    const { port } = server.address();
    const forked = fork(new URL(import.meta.url).pathname, ["take"], { stdio: ["ignore", "ignore", "ignore", "ipc"] });
    const answered = (async () => {
      await once(forked, "message");
      forked.send("listener", server);
      await once(forked, "message");
      server.close();
      const conn = net.connect({ port, host: LOOPBACK });
      return String(await once(conn, "data")) === "child";
    })();
    const works = await within(answered.catch(() => false));
    forked.kill();
    return works ? "own children" : false;
  },
  credentials() {
    return Object.getOwnPropertyNames(net.Socket.prototype).some((name) => /cred|peerPid|ucred/i.test(name));
  },
  async inherited() {
    // A listener as descriptor 3, as systemd passes it: python3 stands in for systemd.
    const code = 'import os,socket,sys;s=socket.create_server(("127.0.0.1",0));print(s.getsockname()[1],flush=True);' +
      "d=os.dup(s.fileno());os.dup2(d,3);os.set_inheritable(3,True);os.execv(sys.argv[1],sys.argv[1:])";
    const started = spawn("python3", ["-c", code, ...self("inherit")], { stdio: ["ignore", "pipe", "ignore"] });
    const port = Number(await within(once(started.stdout, "data")));
    const conn = await within(dialUntil(port));
    const text = conn ? String(await within(once(conn, "data"))) : "";
    started.kill();
    return text === "inherited";
  },
  rawSockets() {
    return false; // Neither module has a way to ask for one.
  },
};

/** The command that runs this program again. */
function self(...args) {
  const path = new URL(import.meta.url).pathname;
  return globalThis.Deno ? [process.execPath, "run", "-A", path, ...args] : [process.execPath, path, ...args];
}

async function dialUntil(port) {
  for (let attempt = 0; attempt < 100; attempt++) {
    const conn = net.connect({ port, host: LOOPBACK });
    try {
      await once(conn, "connect");
      return conn;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** A listener of python3's with a full queue. It accepts nothing before `accept()`. */
export async function fullListener(host = LOOPBACK, port = 0) {
  const family = host.includes(":") ? "AF_INET6" : "AF_INET";
  const code = `import socket,sys
s=socket.socket(socket.${family});s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1)
s.bind(("${host}",${port}));s.listen(0)
held=[]
for _ in range(3):
  c=socket.socket(socket.${family});c.setblocking(False)
  try: c.connect(s.getsockname()[:2])
  except BlockingIOError: pass
  held.append(c)
print(s.getsockname()[1],flush=True)
sys.stdin.readline()
while True: held.append(s.accept())`;
  const started = startPython(code);
  const text = String(await within(once(started.stdout, "data")));
  return { port: Number(text), accept: () => started.stdin.write("\n"), release: () => started.kill() };
}

function startPython(code) {
  return spawn("python3", ["-c", code], { stdio: ["pipe", "pipe", "inherit"] });
}

/**
 * A name with two addresses. RFC 8305: where the first does not answer, the second is dialled after some 250 ms, while the
 * first attempt goes on.
 */
export async function eyeballs(dial) {
  const second = await dialsSecond(dial);
  return second === true && !await keepsFirst(dial) ? "one by one" : second;
}

/** The first address answers after a second, since a SYN is sent again then, and the second refuses. */
async function keepsFirst(dial) {
  const full = await fullListener("::1");
  setTimeout(full.accept, 500);
  const conn = await within(dial(full.port).catch(() => false), 5000);
  conn?.destroy?.();
  conn?.close?.();
  full.release();
  return Boolean(conn);
}

/** The first address never answers. */
async function dialsSecond(dial) {
  const server = await listen({ host: LOOPBACK, port: 0 });
  const { port } = server.address();
  const full = await fullListener("::1", port);
  const accepted = once(server, "connection").then(() => performance.now());
  const started = performance.now();
  const conn = await within(dial(port).catch(() => false), 5000);
  const at = conn ? (await accepted) - started : NaN;
  conn?.destroy?.();
  conn?.close?.();
  full.release();
  server.close();
  if (!conn) return false;
  return at < 50 ? "all at once" : true;
}

if (!/node\.mjs$/.test(process.argv[1])) {
  // Imported for its helpers.
} else if (process.argv[2] === "take") {
  process.on("message", (_, server) => {
    server.on("connection", (conn) => conn.end("child"));
    process.send("taken");
  });
  process.send("ready");
} else if (process.argv[2] === "inherit") {
  const server = net.createServer((conn) => conn.end("inherited"));
  server.listen({ fd: 3 });
} else {
  const only = process.argv[2];
  const verdicts = {};
  for (const [name, probe] of Object.entries(probes)) {
    if (only !== undefined && name !== only) continue;
    try {
      verdicts[name] = await within(Promise.resolve(probe()), 10_000);
    } catch (error) {
      verdicts[name] = false;
      console.error(`${name}: ${error.message}`);
    }
  }
  console.log(JSON.stringify(verdicts));
  process.exit();
}
