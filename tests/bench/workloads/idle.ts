/** What sockets cost that nothing happens on. */

import { both } from "../framework/subjects.ts";
import { startContender, startLoad } from "../framework/processes.ts";
import { receiveResult, residentMemory } from "../framework/protocol.ts";
import { BASELINE, OURS, type Workload } from "../framework/workload.ts";
import { attack, servers, startServer } from "./stream.ts";

/** Connections that are open and quiet. */
const MANY = 5000;

/** Milliseconds that memory is given to settle. */
const SETTLE = 500;

const listeners: Workload = {
  name: "idle_listeners",
  title: "A process with an open TCP listener and a UDP socket, both waited on",
  load: "none",
  metrics: [{ key: "share", title: "% of a core", better: "less", digits: 3 }],
  subjects: both("children/idle.ts"),
  goals: [{ metric: "share", of: OURS, bound: 1 }],
  async round(subject) {
    await using idler = await startContender(subject);
    return await receiveResult(idler);
  },
};

const memory: Workload = {
  name: "idle_memory",
  title: "TCP, memory for each of 5,000 connections, waiting in read()",
  load: "stream_load, each echoed to once",
  metrics: [{ key: "memory", title: "KiB a connection", better: "less", digits: 2 }],
  subjects: servers("tcp", "echo"),
  goals: [{ metric: "memory", of: OURS, against: BASELINE, bound: 1 }],
  async round(subject) {
    await using server = await startServer(subject);
    await attack(server, { mode: "echo", connections: 16 });
    const before = await residentMemory(server.pid);
    await using generator = await startLoad("stream_load", "hold", server.address, MANY, 0, 0, 0);
    await receiveResult(generator);
    await new Promise((resolve) => setTimeout(resolve, SETTLE));
    return { memory: (await residentMemory(server.pid) - before) / MANY };
  },
};

const beside: Workload = {
  name: "idle_beside",
  title: "TCP, echo on 1 connection beside 5,000 quiet ones, to echo without them",
  load: "stream_load, epoll",
  metrics: [
    { key: "times", title: "× alone, median", better: "less", digits: 2 },
    { key: "beside", title: "µs beside", better: "less", digits: 1 },
    { key: "alone", title: "µs alone", better: "less", digits: 1 },
  ],
  subjects: servers("tcp", "echo"),
  goals: [{ metric: "times", of: OURS, bound: 1.3 }],
  async round(subject) {
    await using server = await startServer(subject);
    const alone = (await attack(server, { mode: "echo", connections: 1 })).median!;
    const beside = (await attack(server, { mode: "echo", connections: 1, idle: MANY })).median!;
    return { times: beside / alone, beside, alone };
  },
};

export const idle: readonly Workload[] = [listeners, memory, beside];
