/**
 * Uses every kind of socket once, on a system that may lack some calls, and prints what came of each as JSON. With the
 * argument "guest", for a C library that is not the process's own, it looks up no name and ends by a signal.
 *
 * @module
 */
import {
  connect,
  DatagramBatch,
  interfaces,
  isSocketError,
  listen,
  listenDatagram,
  socketPair,
  watch,
  watchInterfaces,
} from "../../../mod.ts";

const guest = Deno.args[0] === "guest";
const outcomes: Record<string, unknown> = {};
const local = { transport: "udp", hostname: "127.0.0.1" } as const;

async function attempt(what: string, run: () => unknown): Promise<void> {
  try {
    outcomes[what] = await run();
  } catch (error) {
    const { name, message } = error as Error;
    outcomes[what] = isSocketError(error) ? `${name} ${error.code} ${error.syscall}` : `${name} ${message}`;
  }
}

await attempt("TCP", async () => {
  using listener = listen({ hostname: "127.0.0.1", port: 0 });
  using client = await connect({ hostname: guest ? "127.0.0.1" : "localhost", port: listener.addr.port });
  using server = await listener.accept();
  await client.write(new Uint8Array(5));
  return await server.read(new Uint8Array(9));
});

await attempt("many datagrams", async () => {
  using udp = listenDatagram({ ...local, packetInfo: true });
  const data = [1, 2, 3].map((length) => new Uint8Array(length));
  const sent = await udp.sendMany(data.map((data) => ({ data, addr: udp.addr })));
  const batch = new DatagramBatch({ capacity: 8 });
  const destinations: (string | undefined)[] = [];
  while (destinations.length < sent) {
    await udp.receiveMany(batch);
    destinations.push(...Array.from(batch, ({ destination }) => destination));
  }
  return destinations;
});

await attempt("datagrams at intervals", async () => {
  using udp = listenDatagram(local);
  let received = 0;
  // Through all that a reactor does while it waits: spinning, sleeping, a thread.
  for (const milliseconds of [0, 0, 1, 1, 1, 1, 2, 3, 20, 40]) {
    setTimeout(() => udp.send(new Uint8Array(1), udp.addr), milliseconds);
    received += (await udp.receive())[0].length;
  }
  return received;
});

await attempt("a descriptor", async () => {
  const [one, two] = socketPair("stream");
  using udp = listenDatagram(local);
  await one.sendMessage({ data: new Uint8Array(1), fds: [udp] });
  const message = await two.receiveMessage();
  using watcher = watch(message!.fds[0]!);
  for (const fd of message!.fds) fd.close();
  await udp.send(new Uint8Array(1), udp.addr);
  await watcher.readable();
  for (const conn of [one, two]) conn.close();
  return message!.fds.length;
});

await attempt("a file", async () => {
  const [one, two] = socketPair("stream");
  const sent = await one.sendFile(import.meta.filename!, { length: 100 });
  const received = await two.read(new Uint8Array(200));
  for (const conn of [one, two]) conn.close();
  return [sent, received];
});

await attempt("the runtime's own socket", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [client, server] = await Promise.all([Deno.connect({ port: listener.addr.port }), listener.accept()]);
  using udp = listenDatagram(local);
  const receiving = udp.receive();
  await client.write(new Uint8Array(3));
  const length = await server.read(new Uint8Array(9));
  await udp.send(new Uint8Array(1), udp.addr);
  await receiving;
  for (const conn of [client, server]) conn.close();
  return length;
});

await attempt("interfaces()", () => interfaces().some(({ name }) => name === "lo"));

await attempt("watchInterfaces()", async () => {
  for await (const { type } of watchInterfaces()) return type;
  return "nothing";
});

await attempt("a group on every interface", () => {
  using udp = listenDatagram(local);
  using _membership = udp.joinMulticast("239.255.41.2", { interface: "all" });
  return "joined";
});

await attempt("bound to an interface by its index", async () => {
  // Loopback has the first.
  using udp = listenDatagram({ ...local, interface: 1 });
  await udp.send(new Uint8Array(4), udp.addr);
  return (await udp.receive())[0].length;
});

await attempt("a group on lo", () => {
  using udp = listenDatagram(local);
  using _membership = udp.joinMulticast("239.255.41.2", { interface: "lo" });
  return "joined";
});

console.log(JSON.stringify(outcomes));
if (guest) Deno.kill(Deno.pid, "SIGKILL");
