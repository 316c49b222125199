/**
 * Sockets for Deno, straight from libc: UDP with shared ports and multicast, TCP, and Unix domain sockets.
 *
 * {@linkcode listen}, {@linkcode connect} and {@linkcode listenDatagram} replace Deno's functions of the same names, and
 * the objects they return have the members of Deno's types. In addition there are socket options before bind
 * (`control`, {@linkcode sockopt}), deadlines and signals for every operation that waits, batches of datagrams,
 * descriptor passing between processes, and errors with the failed call, its address and a hint
 * ({@linkcode SocketError}).
 *
 * Times are in milliseconds and lengths in bytes unless the documentation of a member says otherwise. Ports are whole
 * numbers from 0 to 65535.
 *
 * ## UDP
 *
 * ```ts
 * import { listenDatagram } from "@berkeley/sockets";
 *
 * using one = listenDatagram({ transport: "udp", hostname: "127.0.0.1", reusePort: true });
 * using two = listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: one.addr.port, reusePort: true });
 * using source = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
 * await source.send(new TextEncoder().encode("hello"), one.addr);
 * const [data] = await Promise.race([one.receive(), two.receive()]); // the kernel chooses which
 * console.log(new TextDecoder().decode(data)); // hello
 * ```
 *
 * ## TCP
 *
 * ```ts
 * import { connect, listen } from "@berkeley/sockets";
 *
 * using listener = listen({ hostname: "127.0.0.1", port: 0 });
 * using client = await connect({ port: listener.addr.port, signal: AbortSignal.timeout(1_000) });
 * using server = await listener.accept();
 * await client.write(new TextEncoder().encode("hello"));
 * server.setReadDeadline(new Date(Date.now() + 1_000));
 * console.log(await server.read(new Uint8Array(64))); // 5
 * ```
 *
 * ## Unix
 *
 * ```ts
 * import { listen, socketPair, type TcpListener } from "@berkeley/sockets";
 *
 * const [here, there] = socketPair("stream");
 * using listener = listen({ hostname: "127.0.0.1", port: 0 });
 * await here.sendMessage({ data: Uint8Array.of(1), fds: [listener] });
 * const message = await there.receiveMessage();
 * using same = message!.fds[0]!.open<TcpListener>(); // on the same port
 * console.log(same.socket.fd !== listener.socket.fd); // true
 * here.close();
 * there.close();
 * ```
 *
 * ## Transports
 *
 * | asked for | `addr.transport` | Deno's word | Go's word | the kernel's |
 * | --- | --- | --- | --- | --- |
 * | `"tcp"` | `"tcp"` | `"tcp"` | `"tcp"` | AF_INET, AF_INET6; SOCK_STREAM |
 * | `"udp"` | `"udp"` | `"udp"` | `"udp"` | AF_INET, AF_INET6; SOCK_DGRAM |
 * | `"unix"` | `"unix"` | `"unix"` | `"unix"` | AF_UNIX, SOCK_STREAM |
 * | `"unixpacket"`, `"unixgram"` | `"unixpacket"` | `"unixpacket"` | `"unixgram"` | AF_UNIX, SOCK_DGRAM |
 * | `"seqpacket"` | `"seqpacket"` | none | `"unixpacket"` | AF_UNIX, SOCK_SEQPACKET |
 *
 * The `path` of a Unix address is a file path, `"\0name"` for an abstract name, or null for a socket without a name:
 * {@linkcode UnixAddr}. Where a member has Deno's type, which says `string`, an unnamed socket's path is null all the
 * same.
 *
 * ## Permissions
 *
 * Loading libc needs `--allow-ffi`; `--allow-ffi=` with the path of libc is sufficient. It lets a program call any
 * function, so grant it only to trusted programs. Before a system call the module queries the permissions that Deno's
 * own functions need, and throws Deno.errors.NotCapable with Deno's message: `--allow-net` for the given host;
 * `--allow-read`, `--allow-write` and `--allow-net=unix:/the/path` for the path of a Unix socket; `--allow-net` for
 * every host where no narrower grant can name the address, as for abstract names and raw sockets; `--allow-read` for the
 * path of a file that is sent.
 * {@linkcode activatedSockets} needs `--allow-env` for its three variables.
 *
 * ## Differences from Deno
 *
 * - Any number of accepts and receives can wait on one socket; they are served in order.
 * - A write is complete or fails, and writes are sent in call order; an error has the bytes sent in `bytesWritten`.
 * - A reset reads as Deno.errors.ConnectionReset, never as the end. Close frees the port at once.
 * - Closing a Unix socket removes its path, unless another file has been created there.
 * - Closing `writable` while `readable` is in use shuts down the write side only.
 * - A detached or shared buffer is refused, and an unknown transport is a TypeError that quotes it.
 *
 * Sockets of a Worker that is terminated stay open until the process ends. Close them before.
 *
 * @module
 */

// Ways to open a socket.
export { connect, connectAny } from "./ffi/connect.ts";
export { listen } from "./ffi/listen.ts";
export { listenDatagram } from "./ffi/listen_datagram.ts";
export { type SeqpacketConnectOptions, socketPair, type UnixConnectOptions } from "./ffi/unix/connect.ts";
export type { TcpConnectOptions } from "./ffi/tcp/connect.ts";
export type { TcpListenOptions } from "./ffi/tcp/listen.ts";
export type { UdpListenOptions } from "./ffi/udp/listen.ts";
export type { UnixDatagramOptions } from "./ffi/unix/listen_datagram.ts";
export type { SeqpacketListenOptions, UnixListenOptions } from "./ffi/unix/listen.ts";
export type { UnixPathOptions } from "./ffi/unix/path.ts";

// Sockets opened elsewhere.
export { type ActivatedSocket, activatedSockets } from "./ffi/activation.ts";
export { openLibrary } from "./ffi/open_library.ts";
export { type AnySocket, fromFd } from "./ffi/from_fd.ts";
export type { FdKind } from "./ffi/io/fd_kind.ts";
export { type OpenedSocket, OwnedFd } from "./ffi/io/owned_fd.ts";

// UDP.
export type { Datagram } from "./ffi/udp/datagram.ts";
export { DatagramBatch } from "./ffi/udp/batch.ts";
export type { MulticastMembership, MulticastOptions } from "./ffi/udp/membership.ts";
export type { OutgoingDatagram, SendOptions } from "./ffi/udp/source.ts";
export { UdpSocket } from "./ffi/udp/udp.ts";
export { MulticastEndpoint } from "./ffi/udp/multicast_endpoint.ts";
export type { DatagramError } from "./ffi/udp/datagram_error.ts";
export type { SentTimestamp } from "./ffi/udp/error_queue.ts";
export { UdpEndpoint } from "./ffi/udp/udp_endpoint.ts";

// TCP, and the base classes of stream sockets.
export { StreamListener } from "./ffi/socket/listener.ts";
export type { SendFileOptions } from "./ffi/socket/send_file.ts";
export { StreamConn } from "./ffi/socket/stream.ts";
export type { KeepAlive } from "./ffi/tcp/keep_alive.ts";
export type { TcpInfo } from "./ffi/tcp/info.ts";
export { TcpConn, TcpListener } from "./ffi/tcp/tcp.ts";

// Unix sockets.
export type { PeerCredentials, PeerCredentialsOptions } from "./ffi/unix/credentials.ts";
export { SeqpacketConn, SeqpacketListener } from "./ffi/unix/seqpacket.ts";
export { UnixConn, UnixListener } from "./ffi/unix/unix.ts";
export { UnixDatagram } from "./ffi/unix/datagram.ts";
export type { DescriptorPassing, ReceiveMessageOptions, UnixMessage } from "./ffi/unix/message.ts";
export type { OutgoingUnixMessage, Passable } from "./ffi/unix/outgoing_message.ts";

// Network interfaces, and descriptors of any kind.
export { FdWatcher, watch } from "./ffi/socket/fd_watcher.ts";
export { interfaces } from "./ffi/interface/interfaces.ts";
export type { InterfaceChange } from "./ffi/interface/monitor.ts";
export { watchInterfaces } from "./ffi/interface/watch_interfaces.ts";
export type { InterfaceAddress, NetworkInterface } from "./ffi/interface/network_interface.ts";

// Addresses, waits and errors.
export { isSocketError, type SocketError } from "./ffi/libc/socket_error.ts";
export type { UnixAddr } from "./ffi/address/address.ts";
export type { Deadline, Deadlines } from "./ffi/io/deadline.ts";
export { Endpoint } from "./ffi/socket/endpoint.ts";
export type { WaitOptions } from "./ffi/validate/options.ts";
export { type IpNetwork, resolveAddress, type UnixNetwork } from "./ffi/address/resolve.ts";

// Bare sockets and their options.
export type { Linger, SocketOption } from "./ffi/option/option.ts";
export { type Control, Socket } from "./ffi/socket/socket.ts";
export { ConfigurableSocket } from "./ffi/socket/configurable_socket.ts";
export type { BpfInstruction } from "./ffi/option/filter.ts";
export type { ControlMessage } from "./ffi/io/control_message.ts";
export { msg } from "./ffi/option/message_flags.ts";
export type { ByteSteering, Steering } from "./ffi/option/steering.ts";
export { sockopt } from "./ffi/option/sockopt.ts";
export type { ReceivedMessage } from "./ffi/io/transfer.ts";
