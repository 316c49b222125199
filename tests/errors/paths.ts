/**
 * What is said of paths.
 *
 * @module
 */
import { connect, listen } from "../../mod.ts";
import { says, withPath } from "./support.ts";

const LONG = "/tmp/".padEnd(200, "x");

says("paths", [
  [
    "no path",
    () => listen({ transport: "unix", path: "" }),
    TypeError,
    'Invalid path: "", expected the path of a Unix socket',
  ],
  [
    "one too long",
    () => connect({ transport: "unix", path: LONG }),
    TypeError,
    `Path "${LONG}" has 200 bytes, expected at most * for a Unix socket path`,
  ],
  [
    "one with a NUL inside",
    () => listen({ transport: "unix", path: "/tmp/a\0b" }),
    TypeError,
    String.raw`Path "/tmp/a\u0000b" contains a NUL, which would end a Unix socket path`,
  ],
  [
    "half a character",
    () => listen({ transport: "unix", path: "/tmp/\ud800" }),
    TypeError,
    String.raw`Path "/tmp/\ud800" is not well-formed Unicode`,
  ],
  [
    "a mode in decimal",
    () => listen({ transport: "unix", path: "/tmp/x", mode: 755 }),
    TypeError,
    "Invalid mode: 755 (0o1363), expected permission bits from 0 to 0o777",
  ],
  [
    "an existing socket",
    withPath((path) => {
      using _listener = listen({ transport: "unix", path });
      listen({ transport: "seqpacket", path }).close();
    }),
    Deno.errors.AddrInUse,
    "bind *: address already in use (EADDRINUSE); " +
    "the path is a socket; replaceStale: true removes it unless it is in use",
  ],
  [
    "a socket that is in use",
    withPath((path) => {
      using _listener = listen({ transport: "unix", path });
      listen({ transport: "unix", path, replaceStale: true }).close();
    }),
    Deno.errors.AddrInUse,
    "bind *: address already in use (EADDRINUSE); the socket at that path is in use; it is left as it is",
  ],
  [
    "an existing file",
    withPath((path) => {
      Deno.writeTextFileSync(path, "");
      listen({ transport: "unix", path, replaceStale: true }).close();
    }),
    Deno.errors.AddrInUse,
    "bind *: address already in use (EADDRINUSE); the path exists and is not a socket; it is left as it is",
  ],
  [
    "a missing directory",
    withPath((path) => listen({ transport: "unix", path: `${path}/socket` })),
    Deno.errors.NotFound,
    "bind *: no such file or directory (ENOENT); the directory does not exist",
  ],
  [
    "a file in place of a directory",
    withPath((path) => {
      Deno.writeTextFileSync(path, "");
      listen({ transport: "unix", path: `${path}/socket` }).close();
    }),
    Deno.errors.NotADirectory,
    "bind *: not a directory (ENOTDIR)",
  ],
  [
    "a directory locked by another process",
    withPath((path) => {
      using directory = Deno.openSync(path.slice(0, path.lastIndexOf("/")));
      directory.lockSync(true);
      listen({ transport: "unix", path, replaceStale: true }).close();
    }),
    Deno.errors.WouldBlock,
    "flock *: resource temporarily unavailable (EAGAIN); " +
    "replaceStale: true locks the directory, and another process has held the lock for a second",
  ],
  [
    "a name that is taken",
    () => {
      const path = `\0berkeley-messages-${Deno.pid}`;
      using _listener = listen({ transport: "unix", path });
      listen({ transport: "unix", path }).close();
    },
    Deno.errors.AddrInUse,
    "bind @*: address already in use (EADDRINUSE); another socket has the name",
  ],
  [
    "nothing to connect to",
    withPath((path) => connect({ transport: "unix", path })),
    Deno.errors.NotFound,
    "connect *: no such file or directory (ENOENT)",
  ],
  [
    "a socket of another type to connect to",
    withPath(async (path) => {
      using _listener = listen({ transport: "unix", path });
      await connect({ transport: "seqpacket", path });
    }),
    Error,
    "connect *: protocol wrong type for socket (EPROTOTYPE); " +
    'the socket has another transport; there are "unix", "seqpacket" and "unixgram"',
  ],
]);
