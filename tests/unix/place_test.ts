import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { connect, listen, listenDatagram, Socket } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { startDeno } from "../support/process.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { abstractName, Directory, noAbstractNames, notLinux } from "./support.ts";

noDescriptorLeaks();

const start = Deno.cwd();
afterEach(() => Deno.chdir(start));

const PROGRAM = new URL("./programs/places.ts", import.meta.url);

describe("A path within a grant", TIMEOUT, () => {
  itUnless(
    notLinux,
    "is the same from the call to close, whatever control does and wherever a link points",
    async () => {
      using directory = new Directory();
      const path = Deno.realPathSync(directory.path);
      for (const name of ["granted", "granted/elsewhere", "secret"]) Deno.mkdirSync(`${path}/${name}`);
      Deno.symlinkSync("../secret", `${path}/granted/link`);
      using _live = listen({ transport: "unix", path: `${path}/granted/live` });
      using _decoy = listen({ transport: "unix", path: `${path}/granted/elsewhere/live` });
      using _secret = listen({ transport: "unix", path: `${path}/secret/live-secret` });
      using _sink = listenDatagram({ transport: "unixgram", path: `${path}/secret/sink-secret` });
      const { success, stdout, report } = await startDeno(PROGRAM, {
        flags: ["--allow-ffi", "--allow-net", `--allow-read=${path}/granted`, `--allow-write=${path}/granted`],
        cwd: `${path}/granted`,
      }).finished();
      assert(success, report);
      assertEquals(JSON.parse(stdout), {
        "listen, then chdir": "$/a .",
        "listen with a mode, then chdir": "$/b .",
        "seqpacket listen, then chdir": "$/c .",
        "datagram, then chdir": "$/d .",
        "connect, then chdir": "$/live",
        "listen behind a link": "$/e .",
        "connect behind a link": "NotFound",
        "connect behind a link, relatively": "NotFound",
        "send behind a link": "NotFound",
        "Socket.bind behind a link": ".",
        "Socket.connect behind a link, in bytes": "NotFound",
        "the secret itself": "NotCapable",
      });
    },
  );
});

describe("A path that fits sun_path only as a relative one", TIMEOUT, () => {
  /** Goes to a directory whose own path is longer than sun_path. */
  function deep(directory: Directory): string {
    const path = `${Deno.realPathSync(directory.path)}/${"d".repeat(120)}`;
    Deno.mkdirSync(path);
    Deno.mkdirSync(`${path}/elsewhere`);
    Deno.chdir(path);
    return path;
  }

  const names = (path: string) => Array.from(Deno.readDirSync(path), ({ name }) => name).sort();

  it("can be listened at, connected to and sent to, and its file is removed", async () => {
    using directory = new Directory();
    const path = deep(directory);
    const listener = listen({ transport: "unix", path: "socket", mode: 0o600, replaceStale: true });
    const sink = listenDatagram({ transport: "unixgram", path: "sink" });
    using source = listenDatagram({ transport: "unixgram" });
    assertEquals([listener.addr.path, sink.addr.path], ["socket", "sink"]);
    (await connect({ transport: "unix", path: "socket" })).close();
    await source.send(new Uint8Array(3), { transport: "unixpacket", path: "sink" });
    assertEquals((await sink.receive())[0].length, 3);
    using plain = Socket.open("unix", "stream");
    await plain.connect({ transport: "unix", path: "socket" });
    listener.close();
    sink.close();
    assertEquals(names(path), ["elsewhere"]);
  });

  itUnless(notLinux, "does not move when control changes the directory", async () => {
    using directory = new Directory();
    const path = deep(directory);
    const control = () => Deno.chdir("elsewhere");
    const listener = listen({ transport: "unix", path: "socket", control });
    assertEquals([names(path), names(`${path}/elsewhere`)], [["elsewhere", "socket"], []]);
    Deno.chdir(path);
    (await connect({ transport: "unix", path: "socket", control })).close();
    (await listener.accept()).close();
    await assertRejects(() => connect({ transport: "unix", path: "socket" }), Deno.errors.NotFound);
    listener.close();
    assertEquals(names(path), ["elsewhere"]);
  });
});

describe("A name that is not UTF-8", TIMEOUT, () => {
  /** A socket of another program at such a name, and one of ours that it sends to. */
  async function heardFrom(name: Uint8Array): Promise<void> {
    using stranger = Socket.open("unix", "dgram");
    stranger.bind(Uint8Array.of(1, 0, ...name));
    using sink = listenDatagram({ transport: "unixgram", path: abstractName() });
    await stranger.send(new Uint8Array(2), sink.addr);
    const [data, from] = await sink.receive();
    assertEquals([data.length, from.path], [2, null]);
    await assertRejects(() => sink.send(new Uint8Array(2), from), TypeError, "Invalid path: null");
  }

  itUnless(noAbstractNames, "reads as null, and nothing is sent there: a path", async () => {
    using directory = new Directory();
    await heardFrom(Uint8Array.of(...new TextEncoder().encode(directory.file("name-")), 0xff, 0));
  });

  itUnless(noAbstractNames, "reads as null, and nothing is sent there: an abstract name", async () => {
    await heardFrom(Uint8Array.of(...new TextEncoder().encode(abstractName()), 0xc3, 0x28));
  });

  itUnless(noAbstractNames, "reads as null of a listener and a peer", async () => {
    const name = Uint8Array.of(1, 0, ...new TextEncoder().encode(abstractName()), 0xff);
    using plain = Socket.open("unix", "stream");
    plain.bind(name);
    using listener = listen({ transport: "unix", path: abstractName() });
    await plain.connect(listener.addr);
    using conn = await listener.accept();
    assertEquals(conn.remoteAddr.path, null);
  });
});
