import { assert, assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { once } from "node:events";
import http from "node:http";
import { connect, listen, type TcpConn, type TcpListener } from "../../mod.ts";
import { readToEnd } from "../conformance/stream/pair.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { freePort, LOOPBACK } from "../support/loopback.ts";
import { type Child, run, start } from "../support/process.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";

noDescriptorLeaks();

/** More than the buffers of a connection hold at first. */
const LINES = Array.from({ length: 20_000 }, (_, index) => `line ${index} of many`);
const TEXT = LINES.join("\n");

const NO_NCAT = await missingCommands("ncat");
const NO_SOCAT = await missingCommands("socat");
const NO_PYTHON = await missingCommands("python3");
const NO_CURL = await missingCommands("curl");

/** Sends its input, shuts down its write side, and prints what it receives. */
const PYTHON_CLIENT = `
import socket, sys, threading
peer = socket.create_connection(("${LOOPBACK}", int(sys.argv[1])))
def send():
    peer.sendall(sys.stdin.buffer.read())
    peer.shutdown(socket.SHUT_WR)
threading.Thread(target=send).start()
while chunk := peer.recv(65536):
    sys.stdout.buffer.write(chunk)
`;

/** Echoes to one connection. */
const PYTHON_SERVER = `
import socket
server = socket.create_server(("${LOOPBACK}", 0))
print("port", server.getsockname()[1], flush=True)
peer, _ = server.accept()
while chunk := peer.recv(65536):
    peer.sendall(chunk)
peer.close()
`;

/** Echoes to the first connection, and closes it. */
async function echoOnce(listener: TcpListener): Promise<void> {
  using conn = await listener.accept();
  const p = new Uint8Array(10_000);
  for (let count = await conn.read(p); count !== null; count = await conn.read(p)) {
    await conn.write(p.subarray(0, count));
  }
}

/** Checks that a program that connects to the port in its arguments is echoed. */
async function assertTheyDial(command: string, args: (port: string) => string[]): Promise<void> {
  using listener = listen({ hostname: LOOPBACK, port: 0 });
  const [{ success, stdout, report }] = await Promise.all([
    run(command, args(String(listener.addr.port)), { input: TEXT }),
    echoOnce(listener),
  ]);
  assert(success, report);
  assert(stdout === TEXT, `received ${stdout.length} of ${TEXT.length} characters`);
}

async function say(conn: TcpConn): Promise<void> {
  await conn.write(new TextEncoder().encode(TEXT));
  await conn.closeWrite();
}

/** A program that listens, and echoes, gives us back what we said. */
async function assertWeDial(child: Child, port: number): Promise<void> {
  using conn = await connect({ hostname: LOOPBACK, port });
  const [received] = await Promise.all([new Response(conn.readable).text(), say(conn)]);
  assert(received === TEXT, `received ${received.length} of ${TEXT.length} characters`);
  const { success, report } = await child.finished();
  assert(success, report);
}

describe("ncat", TIMEOUT, () => {
  itUnless(NO_NCAT, "connects to a listener here, and is echoed", async () => {
    await assertTheyDial("ncat", (port) => [LOOPBACK, port]);
  });

  itUnless(NO_NCAT, "accepts a connection from here, with data in both directions at once", async () => {
    const port = freePort();
    await using child = start("ncat", ["-v", "-l", LOOPBACK, String(port)], { stdin: true });
    await child.waitForLine(/Listening on .*:\d+/, "stderr");
    using conn = await connect({ hostname: LOOPBACK, port });
    const [received] = await Promise.all([
      readToEnd(conn),
      conn.write(new TextEncoder().encode(TEXT)),
      child.write(TEXT).then(() => child.closeInput()),
    ]);
    // Not before: it stops sending when it reads the end.
    conn.close();
    const { success, stdout, report } = await child.finished();
    assert(success, report);
    assert(new TextDecoder().decode(received) === TEXT, `we received ${received.length} of ${TEXT.length} characters`);
    assert(stdout === TEXT, `ncat received ${stdout.length} of ${TEXT.length} characters`);
  });
});

describe("socat", TIMEOUT, () => {
  itUnless(NO_SOCAT, "connects to a listener here, and is echoed", async () => {
    await assertTheyDial("socat", (port) => ["-t", "30", "-", `TCP:${LOOPBACK}:${port}`]);
  });

  itUnless(NO_SOCAT, "accepts a connection from here, and echoes", async () => {
    await using child = start("socat", ["-d", "-d", "-t", "30", `TCP-LISTEN:0,bind=${LOOPBACK}`, "EXEC:cat"]);
    const line = await child.waitForLine(/listening on AF=2 [\d.]+:(\d+)/, "stderr");
    await assertWeDial(child, Number(line[1]));
  });
});

describe("Python", TIMEOUT, () => {
  itUnless(NO_PYTHON, "connects to a listener here, and is echoed", async () => {
    await assertTheyDial("python3", (port) => ["-c", PYTHON_CLIENT, port]);
  });

  itUnless(NO_PYTHON, "accepts a connection from here, and echoes", async () => {
    await using child = start("python3", ["-c", PYTHON_SERVER]);
    const line = await child.waitForLine(/^port (\d+)$/);
    await assertWeDial(child, Number(line[1]));
  });
});

describe("curl", TIMEOUT, () => {
  itUnless(NO_CURL, "gets an answer from a node:http server on a listener opened here", async () => {
    const listener = listen({ hostname: LOOPBACK, port: 0, reusePort: true });
    const { port } = listener.addr;
    const server = http.createServer((request, response) => {
      response.setHeader("X-Asked", `${request.method} ${request.url}`);
      request.pipe(response);
    });
    server.listen({ fd: listener.detach() });
    await once(server, "listening");
    try {
      const url = `http://${LOOPBACK}:${port}`;
      const got = await run("curl", ["--silent", "--show-error", "--dump-header", "-", `${url}/one`, `${url}/two`]);
      assert(got.success, got.report);
      assertEquals(got.stdout.match(/X-Asked: .*/gi), ["X-Asked: GET /one", "X-Asked: GET /two"]);
      const posted = await run("curl", ["--silent", "--show-error", "--data-binary", "@-", url], { input: TEXT });
      assert(posted.success, posted.report);
      assert(posted.stdout === TEXT, `received ${posted.stdout.length} of ${TEXT.length} characters`);
    } finally {
      server.close();
      await once(server, "close");
    }
  });

  itUnless(NO_CURL, "gets an answer from a server of plain reads and writes", async () => {
    using listener = listen({ hostname: LOOPBACK, port: 0 });
    const serving = (async () => {
      using conn = await listener.accept();
      const p = new Uint8Array(4096);
      let request = "";
      while (!request.endsWith("\r\n\r\n")) request += new TextDecoder().decode(p.subarray(0, (await conn.read(p))!));
      const body = `${request.split("\r\n")[0]}\n`;
      await conn.write(new TextEncoder().encode(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`));
      await conn.read(p);
    })();
    const { success, stdout, report } = await run("curl", [
      "--silent",
      `http://${LOOPBACK}:${listener.addr.port}/path`,
    ]);
    assert(success, report);
    assertEquals(stdout, "GET /path HTTP/1.1");
    await serving;
  });
});
