/**
 * What is said of descriptors.
 *
 * @module
 */
import { fromFd, Socket, socketPair, type UnixConn } from "../../mod.ts";
import { ONE, says, withUdp, wrong } from "./support.ts";

/** Calls with one end of a connected pair that is open for just that. */
function withPair(call: (conn: UnixConn) => unknown) {
  return async () => {
    const [one, two] = socketPair("stream");
    using first = one;
    using _second = two;
    await call(first);
  };
}

says("descriptors", [
  ["text", () => fromFd(wrong("3")), TypeError, 'Invalid descriptor: "3", expected a number from 0 up or an OwnedFd'],
  [
    "a text in place of a message",
    withPair((conn) => conn.sendMessage(wrong("abc"))),
    TypeError,
    'Not a message: "abc", expected { data, fds }',
  ],
  [
    "null in place of a message",
    withPair((conn) => conn.sendMessage(wrong(null))),
    TypeError,
    "Not a message: null, expected { data, fds }",
  ],
  ["a file's", () => fromFd(0), TypeError, "Descriptor 0 is not a socket"],
  [
    "a number that is not open",
    () => fromFd(99_999),
    Deno.errors.BadResource,
    "getsockopt descriptor 99999: bad file descriptor (EBADF)",
  ],
  [
    "one that has an owner",
    withUdp((socket) => fromFd(socket.socket.fd)),
    TypeError,
    "Descriptor * belongs to an open socket; detach() gives it away",
  ],
  [
    "a socket of a kind without a class",
    () => {
      const fd = Socket.open(16, "dgram").detach();
      try {
        fromFd(fd);
      } finally {
        Socket.fromFd(fd).close();
      }
    },
    TypeError,
    "Descriptor * is a socket of family 16 and type 2, which has no class here: Socket.fromFd takes it",
  ],
  [
    "a value without a descriptor to pass",
    withPair((conn) => conn.sendMessage({ data: ONE, fds: [wrong("3")] })),
    TypeError,
    'fds[0]: Not a descriptor: "3", expected a number or an object with one',
  ],
  [
    "a closed one, to pass",
    withPair((conn) => conn.sendMessage({ data: ONE, fds: [99_999] })),
    Deno.errors.BadResource,
    "sendmsg: bad file descriptor (EBADF); a descriptor to be passed is not open",
  ],
  [
    "a misspelt member of a message",
    withPair((conn) => conn.sendMessage(wrong({ data: ONE, fd: [0] }))),
    TypeError,
    'Unknown option "fd": did you mean "fds"?',
  ],
  [
    "too many to pass",
    withPair((conn) => conn.sendMessage({ data: ONE, fds: new Array(254).fill(0) })),
    RangeError,
    "254 descriptors in one message, expected at most 253",
  ],
  [
    "some without data",
    withPair((conn) => conn.sendMessage({ data: new Uint8Array(0), fds: [0] })),
    TypeError,
    "Descriptors without data: on a stream, send at least one byte with descriptors",
  ],
  [
    "an invalid number of descriptors to receive",
    withPair((conn) => conn.receiveMessage({ maxFds: 254 })),
    RangeError,
    "Invalid maxFds: 254, expected 0 to 253",
  ],
  [
    "an invalid length to receive",
    withPair((conn) => conn.receiveMessage({ maxLength: -1 })),
    RangeError,
    "Invalid maxLength: -1, expected 0 bytes or more",
  ],
  [
    "a detached one",
    withPair(async (conn) => {
      const [one, two] = socketPair("seqpacket");
      using sender = one;
      using receiver = two;
      await sender.sendMessage({ data: ONE, fds: [conn] });
      const message = await receiver.receiveMessage();
      const [fd] = message!.fds;
      fd!.close();
      fd!.open();
    }),
    Deno.errors.BadResource,
    "The descriptor has been closed or given away",
  ],
]);
