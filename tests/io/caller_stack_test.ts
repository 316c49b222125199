import { assert, assertEquals, assertInstanceOf, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { connect, connectAny, listen, listenDatagram, resolveAddress, socketPair } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { freePort, LOOPBACK } from "../support/loopback.ts";
import { TIMEOUT } from "../support/timeout.ts";

noDescriptorLeaks();

/** How many frames of the module's own may stand above the program's. */
const MOST_FRAMES = 4;

/** Fails in an async function of a known name, as a program's own would. */
async function caught(call: () => Promise<unknown>): Promise<Error> {
  async function program(): Promise<void> {
    await call();
  }
  try {
    await program();
  } catch (error) {
    assert(error instanceof Error);
    return error;
  }
  throw new Error("Nothing failed");
}

/** Asserts that an error names the function that waited, behind few frames of the module's. */
function assertNamesCaller(error: Error): void {
  const frames = error.stack!.split("\n").filter((line) => line.startsWith("    at "));
  const caller = frames.findIndex((frame) => /at (async )?program \(/.test(frame));
  assert(caller !== -1, error.stack);
  assert(caller <= MOST_FRAMES, error.stack);
  assertMatch(frames[caller]!, /caller_stack_test\.ts:\d+:\d+\)$/);
  assertEquals(error.stack!.split("\n")[0], `${error.name}: ${error.message}`);
}

describe("The stack of an error", TIMEOUT, () => {
  it("of a dial that is refused names the caller, over TCP and at a path", async () => {
    const port = freePort();
    assertNamesCaller(await caught(async () => await connect({ port })));
    assertNamesCaller(await caught(async () => await connect({ transport: "unix", path: "\0berkeley-nothing" })));
    assertNamesCaller(await caught(async () => await connect({ port, hostname: "localhost" })));
  });

  it("of a dial past its deadline names the caller", async () => {
    using listener = listen({ hostname: LOOPBACK, port: 0 });
    assertNamesCaller(await caught(async () => await connect({ port: listener.addr.port, deadline: -1 })));
  });

  it("of a reset read names the caller", async () => {
    using listener = listen({ hostname: LOOPBACK, port: 0 });
    using client = await connect({ port: listener.addr.port });
    using server = await listener.accept();
    const failing = caught(async () => await server.read(new Uint8Array(8)));
    client.setLinger(0);
    client.close();
    const error = await failing;
    assertInstanceOf(error, Deno.errors.ConnectionReset);
    assertNamesCaller(error);
  });

  it("of a read, an accept and a receive that a close or a deadline ends names the caller", async () => {
    using listener = listen({ hostname: LOOPBACK, port: 0 });
    using udp = listenDatagram({ transport: "udp", hostname: LOOPBACK });
    const [one, two] = socketPair("stream");
    using _two = two;
    const failing = [
      caught(async () => await one.read(new Uint8Array(8))),
      caught(async () => await listener.accept()),
      caught(async () => await udp.receive()),
    ];
    one.close();
    listener.close();
    udp.setReadDeadline(0);
    for (const error of await Promise.all(failing)) assertNamesCaller(error);
  });

  it("of a write that was waiting, and of a send, names the caller", async () => {
    const [one, two] = socketPair("stream");
    using _one = one;
    const writing = caught(async () => await one.write(new Uint8Array(1 << 24)));
    two.close();
    assertNamesCaller(await writing);
    using udp = listenDatagram({ transport: "udp", hostname: LOOPBACK });
    udp.connect({ transport: "udp", hostname: LOOPBACK, port: freePort() });
    await udp.send(Uint8Array.of(1));
    assertNamesCaller(await caught(async () => await udp.send(Uint8Array.of(2))));
  });

  it("of a lookup names the caller", async () => {
    assertNamesCaller(await caught(async () => await resolveAddress("tcp", "no-such-host.invalid:1")));
    assertNamesCaller(await caught(async () => await connect({ hostname: "no-such-host.invalid", port: 1 })));
    using udp = listenDatagram({ transport: "udp", hostname: LOOPBACK });
    const data = new Uint8Array(1);
    const addr = { transport: "udp", hostname: "no-such-host.invalid", port: 1 } as const;
    assertNamesCaller(await caught(async () => await udp.send(data, addr)));
    assertNamesCaller(await caught(async () => await udp.sendMany([{ data, addr }])));
    assertNamesCaller(await caught(async () => await udp.sendSegments(data, 1, addr)));
  });

  it("of each candidate that fails is in the AggregateError, which names the caller itself", async () => {
    const error = await caught(async () => await connectAny([{ port: freePort() }, { port: freePort() }]));
    assertInstanceOf(error, AggregateError);
    assertNamesCaller(error);
  });

  it("of an aborted wait is the reason's own, untouched", async () => {
    using udp = listenDatagram({ transport: "udp", hostname: LOOPBACK });
    const reason = new Error("mine");
    const { stack } = reason;
    const stop = new AbortController();
    const failing = caught(async () => await udp.receive(undefined, { signal: stop.signal }));
    stop.abort(reason);
    assertEquals((await failing).stack, stack);
  });
});
