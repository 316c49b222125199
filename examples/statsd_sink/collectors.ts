/**
 * Where statsd_sink.ts collects: in its own thread, or in several Workers that share the port.
 *
 * @module
 */
import { DatagramBatch, listenDatagram, type UdpSocket } from "../../mod.ts";
import { Metrics, type Snapshot } from "./metrics.ts";
import type { Order, Report } from "./worker.ts";

/** Collects until a time is over, a number of datagrams has come, or the signal is aborted. */
export interface Collector extends Disposable {
  readonly addr: Deno.NetAddr;
  collect(milliseconds: number, most: number, signal: AbortSignal): Promise<Metrics>;
}

const RECEIVE_BUFFER = 4 << 20;

/** One socket, in this thread. */
export class OneCollector implements Collector {
  readonly #socket: UdpSocket;
  readonly #batch = new DatagramBatch({ maxLength: 8192 });
  #metrics = new Metrics();

  constructor(hostname: string, port: number) {
    this.#socket = listenDatagram({ transport: "udp", hostname, port, receiveBufferSize: RECEIVE_BUFFER });
  }

  get addr(): Deno.NetAddr {
    return this.#socket.addr;
  }

  async collect(milliseconds: number, most: number, signal: AbortSignal): Promise<Metrics> {
    const metrics = this.#metrics = new Metrics(this.#metrics);
    const decoder = new TextDecoder();
    this.#socket.setReadDeadline(new Date(Date.now() + milliseconds));
    try {
      while (metrics.datagrams < most) {
        await this.#socket.receiveMany(this.#batch, { signal });
        const length = Math.min(this.#batch.length, most - metrics.datagrams);
        for (let i = 0; i < length; i++) metrics.take(decoder.decode(this.#batch.data(i)));
      }
    } catch (error) {
      // The interval is over, or Ctrl-C was pressed.
      if (!signal.aborted && !(error instanceof Deno.errors.TimedOut)) throw error;
    }
    return metrics;
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

/** Several sockets on one port, each in a Worker. The first byte of a datagram, which begins with the name of a metric,
 * decides which of them receives it: so a metric is always in the same Worker, and a set or a gauge is whole. */
export class WorkerCollector implements Collector {
  readonly addr: Deno.NetAddr;
  readonly #workers: Worker[] = [];
  readonly #waiting = new Map<Worker, (snapshot: Snapshot) => void>();
  #taken = 0;
  #enough: () => void = () => {};
  #most = Infinity;
  #metrics = new Metrics();

  constructor(hostname: string, port: number, count: number) {
    using failed = new DisposableStack();
    const sockets: UdpSocket[] = [];
    while (sockets.length < count) {
      sockets.push(failed.use(listenDatagram({
        transport: "udp",
        hostname,
        port: sockets[0]?.addr.port ?? port,
        reusePort: true,
        steer: { byte: 0, modulo: count },
        receiveBufferSize: RECEIVE_BUFFER,
      })));
    }
    failed.move(); // No error: the Workers close them.
    this.addr = sockets[0]!.addr;
    for (const socket of sockets) this.#start(socket);
  }

  #start(socket: UdpSocket): void {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    this.#workers.push(worker);
    worker.onmessage = ({ data }: MessageEvent<Report>) => {
      if ("snapshot" in data) return this.#waiting.get(worker)?.(data.snapshot);
      this.#taken += data.taken;
      if (this.#taken >= this.#most) this.#enough();
    };
    worker.postMessage({ fd: socket.detach() } satisfies Order);
  }

  async collect(milliseconds: number, most: number, signal: AbortSignal): Promise<Metrics> {
    const over = Promise.withResolvers<void>();
    [this.#most, this.#enough] = [most, over.resolve];
    const timer = setTimeout(over.resolve, milliseconds);
    signal.addEventListener("abort", () => over.resolve(), { once: true });
    if (this.#taken >= most || signal.aborted) over.resolve();
    await over.promise;
    clearTimeout(timer);
    const metrics = this.#metrics = new Metrics(this.#metrics);
    for (const snapshot of await Promise.all(this.#workers.map((worker) => this.#report(worker)))) {
      metrics.add(snapshot);
    }
    this.#taken = 0;
    return metrics;
  }

  #report(worker: Worker): Promise<Snapshot> {
    const { promise, resolve } = Promise.withResolvers<Snapshot>();
    this.#waiting.set(worker, resolve);
    worker.postMessage("report" satisfies Order);
    return promise;
  }

  [Symbol.dispose](): void {
    for (const worker of this.#workers) worker.terminate();
  }
}
