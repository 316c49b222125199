/**
 * The open descriptors of this process. Deno's sanitizers see Deno's own resources only, and a socket opened through
 * libc is none of them.
 *
 * @module
 */
import { afterAll, beforeAll } from "@std/testing/bdd";

/** Deno closes some of its own a while after their use: the poller of a Worker goes with its last idle thread. */
const TIMEOUT_MS = 15_000;
const STEP_MS = 20;

const DIRECTORY = Deno.build.os === "linux" ? "/proc/self/fd" : "/dev/fd";

/** Deno's caches, opened whenever it loads something new. */
const DENO_OWN = /_cache_v\d+(-wal|-shm|-journal)?$|^\/dev\/u?random$/;

/** What the Reactor has open while it searches for the event loop's epoll(7), whatever test is running then. */
const SEARCH = /^\/proc\/\d+\/task\/\d+\/syscall$/;

/** How `noDescriptorLeaks()` judges. */
export interface LeakOptions {
  /** Opens what is meant to stay open until the process ends. */
  prepare?: () => void | Promise<void>;
  /** How long a descriptor may take to close after the last test, in milliseconds. */
  timeout?: number;
}

/** Counts the open descriptors, without those of Deno's caches and of the Reactor's search. */
export function descriptorCount(): number {
  return Array.from(openDescriptors().values()).filter((target) => !SEARCH.test(target)).length;
}

/** Lists the open descriptors, one a line: number, what it is, and for a socket the kernel's line about it. */
export function describeDescriptors(descriptors: ReadonlyMap<number, string> = openDescriptors()): string {
  const sockets = socketTable();
  return Array.from(descriptors, ([fd, target]) => {
    const inode = target.match(/^socket:\[(\d+)\]$/)?.[1];
    return [String(fd), target, inode === undefined ? undefined : sockets.get(inode)].filter(Boolean).join(" ");
  }).join("\n");
}

/**
 * Fails the test file when it leaves a descriptor open. To be called once, outside every `describe`, in a file whose own
 * set-up and tear-down stand inside one.
 */
export function noDescriptorLeaks({ prepare, timeout = TIMEOUT_MS }: LeakOptions = {}): void {
  let before: ReadonlyMap<number, string> = new Map();
  beforeAll(async () => {
    await prepare?.();
    openSignalPair();
    before = openDescriptors();
  });
  afterAll(async () => {
    const left = await settle(before, timeout);
    if (left.size > 0) throw new Error(`Descriptors left open: ${left.size}\n${describeDescriptors(left)}`);
  });
}

/** What each open descriptor leads to, by its number. */
function openDescriptors(): Map<number, string> {
  const open = new Map<number, string>();
  for (const { name } of Array.from(Deno.readDirSync(DIRECTORY))) {
    const target = readTarget(name);
    if (target !== null && !DENO_OWN.test(target)) open.set(Number(name), target);
  }
  return new Map([...open].sort(([a], [b]) => a - b));
}

/** Null for a descriptor that is gone, such as the one that listed the directory. */
function readTarget(name: string): string | null {
  const path = `${DIRECTORY}/${name}`;
  try {
    if (Deno.build.os === "linux") return Deno.readLinkSync(path);
    const { dev, ino, isFile } = Deno.statSync(path);
    return `${isFile ? "file" : "other"} ${dev}:${ino}`;
  } catch {
    return null;
  }
}

/** Deno makes a pair of Unix sockets for signals at the first need of it and keeps it. */
function openSignalPair(): void {
  const listener = () => {};
  Deno.addSignalListener("SIGUSR2", listener);
  Deno.removeSignalListener("SIGUSR2", listener);
}

/** Descriptors that were not open before, once their number has come to rest. */
async function settle(before: ReadonlyMap<number, string>, timeout: number): Promise<Map<number, string>> {
  const limit = performance.now() + timeout;
  for (;;) {
    const left = new Map(Array.from(openDescriptors()).filter(([fd, target]) => before.get(fd) !== target));
    if (left.size === 0 || performance.now() > limit) return left;
    await new Promise((resolve) => setTimeout(resolve, STEP_MS));
  }
}

/** Lines of the kernel's tables of sockets, by inode. */
function socketTable(): Map<string, string> {
  const sockets = new Map<string, string>();
  const tables = { tcp: 9, tcp6: 9, udp: 9, udp6: 9, raw: 9, raw6: 9, icmp: 9, unix: 6, packet: 8, netlink: 9 };
  for (const [protocol, column] of Object.entries(tables)) {
    for (const line of readTable(protocol)) {
      const inode = line.trim().split(/\s+/)[column];
      if (inode !== undefined) sockets.set(inode, `${protocol} ${line.trim().replaceAll(/\s+/g, " ")}`);
    }
  }
  return sockets;
}

function readTable(protocol: string): string[] {
  try {
    return Deno.readTextFileSync(`/proc/self/net/${protocol}`).split("\n").slice(1);
  } catch {
    return [];
  }
}
