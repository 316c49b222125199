/** What the workloads over TCP and over Unix streams have in common. */

import { both, inC } from "../framework/subjects.ts";
import { startContender, startLoad } from "../framework/processes.ts";
import { processorTime, receiveResult } from "../framework/protocol.ts";
import type { Sample, Subject } from "../framework/workload.ts";

export type Transport = "tcp" | "unix";

/** Milliseconds before counting, and while counting. */
const WARM_UP = 500;
const WINDOW = 1500;

/** How people call it. */
export const TRANSPORT_NAMES: Readonly<Record<Transport, string>> = { tcp: "TCP", unix: "Unix stream" };

/** What the server does with a connection. */
export type ServerMode = "echo" | "read" | "write" | "readable" | "writable" | "close";

/** What the load does; load/stream_load.c says more. */
export interface Load {
  readonly mode: "echo" | "paced" | "to" | "from" | "accept";
  readonly connections: number;
  readonly idle?: number;
  /** Microseconds between two round trips of "paced". */
  readonly period?: number;
}

export function servers(transport: Transport, mode: ServerMode): Subject[] {
  return both("children/stream_server.ts", transport, mode);
}

/** The same echo server in C. */
export function echoInC(transport: Transport): Subject {
  return inC("epoll", "stream_echo", transport);
}

/** A server that is up. `remove` takes away the folder of its path, which a killed server leaves behind. */
export async function startServer(subject: Subject) {
  const server = await startContender(subject);
  const { address } = await receiveResult<{ address: string }>(server);
  return {
    address,
    pid: server.pid,
    async [Symbol.asyncDispose](): Promise<void> {
      await server[Symbol.asyncDispose]();
      if (address.startsWith("unix:")) {
        await Deno.remove(new URL(`.`, `file://${address.slice(5)}`), { recursive: true });
      }
    },
  };
}

/** What a load saw of a server in its window, with the processor time that the server took for each of what was counted. */
export async function attack(server: { address: string; pid: number }, load: Load): Promise<Sample> {
  const { mode, connections, idle = 0, period = 0 } = load;
  const words = [mode, server.address, connections, idle, WARM_UP, WINDOW, period];
  await using generator = await startLoad("stream_load", ...words);
  await receiveResult(generator);
  const before = await processorTime(server.pid);
  const { count, ...sample } = await receiveResult<{ count: number } & Sample>(generator);
  return { ...sample, processor: (await processorTime(server.pid) - before) / count };
}

/** One round of a server under one load. */
export async function serverRound(subject: Subject, load: Load): Promise<Sample> {
  await using server = await startServer(subject);
  return await attack(server, load);
}
