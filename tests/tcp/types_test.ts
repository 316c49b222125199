import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { connect, listen, type StreamConn, type StreamListener, type TcpConn, type TcpListener } from "../../mod.ts";
import { bytes } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { LOOPBACK } from "../support/loopback.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { connectedPair, listenTcp, readText } from "./support.ts";

noDescriptorLeaks();

/** What a program uses of Deno, in Deno's own types. */
interface Net {
  listen(options: Deno.TcpListenOptions & { transport?: "tcp" }): Deno.TcpListener;
  connect(options: Deno.ConnectOptions): Promise<Deno.TcpConn>;
}

/** A program written for Deno's API: it answers in capitals. */
async function shout(net: Net, words: readonly string[]): Promise<{ answers: string[]; hosts: string[] }> {
  using listener = net.listen({ port: 0, hostname: LOOPBACK });
  const { port } = listener.addr;
  const serving = (async () => {
    for await (const conn of listener) {
      const upper = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
        transform: (chunk, controller) => controller.enqueue(bytes(new TextDecoder().decode(chunk).toUpperCase())),
      });
      conn.readable.pipeThrough(upper).pipeTo(conn.writable);
    }
  })();
  const answers: string[] = [];
  const hosts: string[] = [];
  for (const word of words) {
    using conn: Deno.TcpConn = await net.connect({ port, hostname: LOOPBACK });
    conn.setNoDelay(true);
    conn.setKeepAlive(true);
    hosts.push(conn.remoteAddr.hostname, conn.localAddr.transport);
    await conn.write(bytes(word));
    await conn.closeWrite();
    answers.push(await readText(conn));
  }
  listener.close();
  await serving;
  return { answers, hosts };
}

describe("A program written against Deno.listen and Deno.connect", TIMEOUT, () => {
  it("compiles with this module in their place, and does the same", async () => {
    const words = ["hello", "world", "x".repeat(10_000)];
    const theirs = await shout({ listen: Deno.listen, connect: Deno.connect }, words);
    const ours = await shout({ listen, connect }, words);
    assertEquals(ours, theirs);
    assertEquals(ours.answers, words.map((word) => word.toUpperCase()));
  });

  it("works with a listener of one and a connection of the other", async () => {
    const mixed = await shout({ listen, connect: Deno.connect }, ["hello"]);
    const other = await shout({ listen: Deno.listen, connect }, ["hello"]);
    assertEquals([mixed.answers, other.answers], [["HELLO"], ["HELLO"]]);
  });
});

describe("To the compiler", TIMEOUT, () => {
  it("a TcpListener is a Deno.TcpListener, which is a Deno.Listener", () => {
    using listener: Deno.TcpListener = listenTcp() satisfies TcpListener;
    const wider: Deno.Listener = listener;
    assertEquals(wider.addr, listener.addr);
  });

  it("a TcpConn is a Deno.TcpConn, which is a Deno.Conn", async () => {
    using pair = await connectedPair();
    const conn: Deno.TcpConn = pair.one satisfies TcpConn;
    const wider: Deno.Conn = conn;
    const netOnly: Deno.Conn<Deno.NetAddr> = conn;
    assertEquals([wider.localAddr, netOnly.remoteAddr], [conn.localAddr, conn.remoteAddr]);
  });

  it("both extend the base classes of streams and listeners", async () => {
    using pair = await connectedPair();
    using listener: StreamListener<StreamConn<Deno.Addr>, Deno.Addr> = listenTcp();
    const conn: StreamConn<Deno.NetAddr> = pair.one;
    assertEquals(conn.localAddr.transport, listener.addr.transport);
  });

  it("an unknown option is an error, and so is an option of the wrong type", () => {
    const never = (): unknown[] => [
      // @ts-expect-error: no such option
      listen({ port: 0, reuse: true }),
      // @ts-expect-error: a number
      listen({ port: 0, tcpBacklog: "511" }),
      // @ts-expect-error: a port has to be named
      connect({ hostname: LOOPBACK }),
      // @ts-expect-error: a Date, milliseconds or null
      connect({ port: 0, deadline: "1000" }),
      // @ts-expect-error: a TcpConn is no listener
      connect({ port: 0 }) satisfies Promise<Deno.Listener>,
    ];
    assertEquals(typeof never, "function");
  });

  it("the options of Deno.listen and Deno.connect are options of ours", async () => {
    const listenOptions: Deno.TcpListenOptions & { transport: "tcp" } = {
      port: 0,
      hostname: LOOPBACK,
      transport: "tcp",
    };
    using listener = listen(listenOptions);
    const connectOptions: Deno.ConnectOptions = { port: listener.addr.port, transport: "tcp" };
    using conn = await connect(connectOptions);
    assertEquals(conn.remoteAddr, listener.addr);
  });
});
