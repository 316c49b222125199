/**
 * Every public function and method with arguments that fit it, so that each of them can be exchanged for an odd one.
 *
 * @module
 */
import * as berkeley from "../../mod.ts";
import { libc } from "../../ffi/libc/libc.ts";
import { connectedPair } from "../tcp/support.ts";

const { connect, DatagramBatch, listen, listenDatagram, Socket, socketPair, sockopt } = berkeley;

const HOST = "127.0.0.1";

/** Something with doors, and what has to be closed with it. */
export interface Subject {
  readonly object: object;
  /** Whether it can be used still. */
  usable(): boolean;
  close(): void;
}

/** One function and the arguments that it takes. */
export interface Door {
  readonly name: string;
  open(): Subject | Promise<Subject>;
  call(object: object, args: readonly unknown[]): unknown;
  args(subject: object): readonly unknown[];
}

function disposeAll(things: readonly unknown[]): void {
  for (const thing of things) (thing as Partial<Disposable> | null)?.[Symbol.dispose]?.();
}

function isOpen(object: object): boolean {
  try {
    const { fd } = object as { fd?: unknown };
    const { socket } = object as { socket?: { fd: number } };
    return fd !== undefined || socket === undefined || socket.fd >= 0;
  } catch {
    return false;
  }
}

function subject(object: object, ...others: unknown[]): Subject {
  return { object, usable: () => isOpen(object), close: () => disposeAll([object, ...others]) };
}

async function batchWithData(): Promise<Subject> {
  const udp = listenDatagram({ transport: "udp", hostname: HOST });
  const batch = new DatagramBatch({ capacity: 4, maxLength: 64 });
  await udp.send(new Uint8Array(8), udp.addr);
  await udp.receiveMany(batch);
  return { object: batch, usable: () => batch.length > 0, close: () => udp.close() };
}

async function ownedFd(): Promise<Subject> {
  const [one, two] = socketPair("stream");
  using udp = listenDatagram({ transport: "udp", hostname: HOST });
  await one.sendMessage({ data: Uint8Array.of(1), fds: [udp] });
  const message = await two.receiveMessage();
  disposeAll([one, two]);
  return subject(message!.fds[0]!);
}

function membership(): Subject {
  const udp = listenDatagram({ transport: "udp", hostname: "239.255.0.7", port: 0 });
  const member = udp.joinMulticast("239.255.0.7", { interface: HOST });
  return { object: member, usable: () => isOpen(udp), close: () => disposeAll([udp]) };
}

let paths = 0;

/** Opens an object of each class. */
const SUBJECTS: Readonly<Record<string, () => Subject | Promise<Subject>>> = {
  Socket: () => {
    const socket = Socket.open("inet", "dgram");
    socket.bind({ transport: "udp", hostname: HOST, port: 0 });
    return subject(socket);
  },
  "Socket of a stream": () => {
    const socket = Socket.open("inet", "stream");
    socket.bind({ transport: "tcp", hostname: HOST, port: 0 });
    return subject(socket);
  },
  TcpListener: () => subject(listen({ hostname: HOST, port: 0 })),
  TcpConn: async () => {
    const { one, two } = await connectedPair();
    return subject(one, two);
  },
  UnixListener: () => subject(listen({ transport: "unix", path: `\0berkeley-fuzz-${Deno.pid}-${++paths}` })),
  UnixConn: () => subject(...socketPair("stream")),
  SeqpacketListener: () => subject(listen({ transport: "seqpacket", path: `\0berkeley-fuzz-${Deno.pid}-${++paths}` })),
  SeqpacketConn: () => subject(...socketPair("seqpacket")),
  UdpSocket: () => subject(listenDatagram({ transport: "udp", hostname: HOST })),
  "UdpSocket of IPv6": () => subject(listenDatagram({ transport: "udp", hostname: "::1" })),
  UnixDatagram: () => subject(listenDatagram({ transport: "unixgram", path: "" })),
  DatagramBatch: batchWithData,
  MulticastMembership: membership,
  OwnedFd: ownedFd,
  FdWatcher: () => {
    const udp = listenDatagram({ transport: "udp", hostname: HOST });
    return subject(berkeley.watch(udp.socket.fd), udp);
  },
  watchInterfaces: () => {
    const changes = berkeley.watchInterfaces();
    return { object: changes, usable: () => true, close: () => void changes.return?.() };
  },
};

const SIGNAL = { signal: undefined };
const MESSAGE_OPTIONS = { maxLength: 8, maxFds: 1, credentials: false, signal: undefined };
const here = (object: object) => ({ ...(object as { addr: Deno.NetAddr }).addr });
const bytes = () => new Uint8Array(4);

type Arguments = (object: object) => readonly unknown[];

/** Arguments by the name of the method, where they are the same for every class that has it. */
const ARGUMENTS: Readonly<Record<string, Arguments>> = {
  read: () => [bytes(), SIGNAL],
  peek: () => [bytes(), SIGNAL],
  sendFile: () => ["/etc/hostname", { offset: 0, length: 3, signal: undefined }],
  attachFilter: () => [[{ code: 6, jt: 0, jf: 0, k: 0xffff }]],
  peerCredentials: () => [{ groups: false, pidfd: false }],
  write: () => [[bytes(), bytes()], SIGNAL],
  accept: () => [SIGNAL],
  receive: () => [bytes(), SIGNAL],
  receiveMessage: () => [MESSAGE_OPTIONS],
  sendMessage: () => [{ data: bytes(), fds: [0] }, SIGNAL],
  setDeadline: () => [null],
  setReadDeadline: () => [new Date(8e15)],
  setWriteDeadline: () => [1000],
  setNoDelay: () => [true],
  setKeepAlive: () => [{ idle: 60, interval: 10, count: 3 }],
  setLinger: () => [3],
  setTTL: () => [64],
  setLoopback: () => [true],
  setBroadcast: () => [true],
  setMulticastTTL: () => [1],
  setMulticastLoopback: () => [true],
  setMulticastInterface: () => [HOST],
  joinMulticast: () => ["239.255.0.7", { interface: HOST, source: undefined }],
  joinMulticastV4: () => ["239.255.0.7", HOST],
  joinMulticastV6: () => ["ff15::7", 1],
  blockSource: () => [HOST],
  unblockSource: () => [HOST],
  data: () => [0],
  addr: () => [0],
  truncated: () => [0],
  bind: () => [{ transport: "udp", hostname: HOST, port: 0 }],
  listen: () => [1],
  shutdown: () => ["both"],
  getOption: () => [sockopt.SO_RCVBUF],
  setOption: () => [sockopt.SO_LINGER, { seconds: 1 }],
  getRawOption: () => [1, 8, 4],
  setRawOption: () => [1, 8, 4096],
  readable: () => [SIGNAL],
  writable: () => [SIGNAL],
  closeWrite: () => [],
  sendMany: (udp) => [[{ data: bytes(), addr: here(udp) }], SIGNAL],
  sendSegments: (udp) => [new Uint8Array(8), 4, here(udp), SIGNAL],
  receiveMany: () => [new DatagramBatch({ capacity: 1 }), SIGNAL],
};

/** Arguments where a class has its own. */
const OWN_ARGUMENTS: Readonly<Record<string, Arguments>> = {
  "Socket.send": () => [
    [bytes()],
    { transport: "udp", hostname: HOST, port: 9 },
    { flags: 0, control: [{ level: 0, type: 1, data: bytes() }], signal: undefined },
  ],
  "Socket.receive": () => [bytes(), { flags: 0, controlLength: 128, signal: undefined }],
  "Socket.connect": () => [{ transport: "udp", hostname: HOST, port: 9 }, SIGNAL],
  "SeqpacketConn.receive": () => [SIGNAL],
  "SeqpacketConn.send": () => [bytes(), SIGNAL],
  "UdpSocket.connect": (udp) => [here(udp)],
  "UdpSocket.receiveMessage": () => [{ maxLength: 8, signal: undefined }],
  "UdpSocket.send": (udp) => [bytes(), here(udp), { source: HOST, interfaceIndex: 0, signal: undefined }],
  "UnixDatagram.send": (unix) => [bytes(), here(unix), SIGNAL],
  "UnixDatagram.connect": () => [{ path: "\0berkeley-nobody" }],
  "UnixDatagram.sendMessage": (unix) => [{ data: bytes(), fds: [0] }, here(unix), SIGNAL],
  "UnixDatagram.joinMulticastV4": () => [HOST, HOST],
};

/** Functions that open something, and static methods. */
const FUNCTIONS: Readonly<Record<string, [call: (...args: never[]) => unknown, args: () => readonly unknown[]]>> = {
  "listen, TCP": [listen, () => [{
    transport: "tcp",
    hostname: HOST,
    port: 0,
    tcpBacklog: 5,
    reuseAddress: true,
    reusePort: false,
    ipv6Only: undefined,
    interface: undefined,
    noDelay: true,
    keepAlive: { idle: 60 },
    fastOpen: undefined,
    deferAccept: undefined,
    multipath: false,
    steer: undefined,
    control: () => {},
  }]],
  "listen, Unix": [listen, () => [{
    transport: "unix",
    path: `\0berkeley-fuzz-${Deno.pid}-${++paths}`,
    backlog: 5,
    mode: undefined,
    replaceStale: false,
    unlinkOnClose: true,
    control: () => {},
  }]],
  "listen, seqpacket": [listen, () => [{ transport: "seqpacket", path: `./fuzz-${++paths}.sock`, mode: 0o600 }]],
  "listenDatagram, UDP": [listenDatagram, () => [{
    transport: "udp",
    hostname: HOST,
    port: 0,
    reuseAddress: false,
    reusePort: false,
    broadcast: true,
    loopback: false,
    ipv6Only: undefined,
    receiveBufferSize: 8192,
    sendBufferSize: 8192,
    packetInfo: true,
    timestamps: true,
    receiveOffload: false,
    interface: undefined,
    steer: undefined,
    control: () => {},
  }]],
  "listenDatagram, Unix": [listenDatagram, () => [{
    transport: "unixgram",
    path: "",
    mode: undefined,
    replaceStale: false,
    unlinkOnClose: true,
    control: () => {},
  }]],
  "connect, TCP": [connect, () => [{
    transport: "tcp",
    hostname: HOST,
    port: 9,
    autoSelectFamily: true,
    autoSelectFamilyAttemptDelay: 10,
    localAddress: { hostname: HOST, port: 0 },
    reuseAddress: false,
    reusePort: false,
    noDelay: true,
    keepAlive: { idle: 60, interval: 10, count: 3 },
    deadline: 1000,
    interface: undefined,
    userTimeout: undefined,
    fastOpen: undefined,
    multipath: false,
    trafficClass: undefined,
    control: () => {},
    signal: undefined,
  }]],
  "connect, Unix": [connect, () => [{
    transport: "unix",
    path: "\0berkeley-nobody",
    deadline: 1000,
    control: () => {},
    signal: undefined,
  }]],
  "connect, seqpacket": [connect, () => [{ transport: "seqpacket", path: "./nobody" }]],
  connectAny: [
    berkeley.connectAny,
    () => [[{ hostname: HOST, port: 9 }, { transport: "unix", path: "./nobody" }], SIGNAL],
  ],
  socketPair: [socketPair as (type: never) => unknown, () => ["stream"]],
  fromFd: [berkeley.fromFd, () => [999]],
  activatedSockets: [berkeley.activatedSockets, () => []],
  resolveAddress: [berkeley.resolveAddress as (...args: never[]) => unknown, () => ["udp", `${HOST}:9`, SIGNAL]],
  "resolveAddress, Unix": [berkeley.resolveAddress as (...args: never[]) => unknown, () => ["unix", "@name", SIGNAL]],
  watch: [berkeley.watch, () => [999]],
  watchInterfaces: [berkeley.watchInterfaces, () => [SIGNAL]],
  isSocketError: [berkeley.isSocketError, () => [new Error("odd")]],
  "Socket.open": [Socket.open, () => ["inet", "dgram", 0]],
  "Socket.fromFd": [Socket.fromFd, () => [999]],
  "new DatagramBatch": [(options) => new DatagramBatch(options), () => [{ capacity: 4, maxLength: 8 }]],
};

/** Exported functions that this file knows nothing of. */
function strangers(): typeof FUNCTIONS {
  const known = new Set(Object.values(FUNCTIONS).map(([call]) => call as unknown));
  const others = Object.entries(berkeley).filter(([, value]) => typeof value === "function" && !known.has(value));
  const functions = others.filter(([, value]) => !/^class\b/.test(String(value)));
  return Object.fromEntries(functions.map(([name, value]) => [name, [value as () => unknown, () => []]]));
}

const NOBODY: Subject = { object: {}, usable: () => true, close: () => {} };

/** Names of the methods and accessors of an object, those it inherits too. */
function membersOf(object: object): Map<PropertyKey, PropertyDescriptor> {
  const members = new Map<PropertyKey, PropertyDescriptor>();
  for (let at = object; at !== Object.prototype && at !== null; at = Object.getPrototypeOf(at)) {
    for (const name of Reflect.ownKeys(at)) {
      if (name !== "constructor" && !members.has(name)) members.set(name, Object.getOwnPropertyDescriptor(at, name)!);
    }
  }
  return members;
}

/** What only inspectors call, with their own function as an argument. */
const INSPECTORS: readonly PropertyKey[] = ["Deno.customInspect", "nodejs.util.inspect.custom"].map((name) =>
  Symbol.for(name)
);

/** What `detach` returns is the caller's to close. */
function invoke(object: object, key: PropertyKey, args: readonly unknown[]): unknown {
  const result = Reflect.apply(Reflect.get(object, key), object, args);
  if (key === "detach") libc().c.close(result as number);
  return result;
}

/** Every door there is. A method that this file knows nothing of is a door without arguments of its own. */
export async function allDoors(): Promise<Door[]> {
  const functions = { ...strangers(), ...FUNCTIONS };
  const doors: Door[] = Object.entries(functions).map(([name, [call, args]]) => ({
    name,
    open: () => NOBODY,
    call: (_object, args) => call(...args as never[]),
    args,
  }));
  for (const [className, open] of Object.entries(SUBJECTS)) {
    const one = await open();
    for (const [key, { value }] of membersOf(one.object)) {
      if (typeof value !== "function" || INSPECTORS.includes(key)) continue;
      const name = `${className}.${String(key)}`;
      const args = OWN_ARGUMENTS[name.replace(/ of .*?\./, ".")] ?? ARGUMENTS[String(key)] ?? (() => []);
      doors.push({ name, open, call: (object, args) => invoke(object, key, args), args });
    }
    one.close();
  }
  return doors;
}
