/**
 * Sockets for Deno, straight from libc.
 *
 * @module
 */

export { isSocketError, type SocketError } from "./ffi/libc/system_error.ts";
export { type UnixAddr } from "./ffi/socket/addresses.ts";
export type { Deadlines, Endpoint } from "./ffi/socket/endpoint.ts";
export type { WaitOptions } from "./ffi/socket/operation.ts";
export type { Linger, SocketOption } from "./ffi/socket/option.ts";
export { type IpNetwork, resolveAddress, type UnixNetwork } from "./ffi/socket/resolve.ts";
export { type Control, Socket } from "./ffi/socket/socket.ts";
export { sockopt } from "./ffi/socket/sockopt.ts";
export type { ReceivedMessage } from "./ffi/socket/transfer.ts";
export type { Datagram } from "./ffi/datagram.ts";
export { DatagramBatch } from "./ffi/datagram_batch.ts";
export { connect, connectAny } from "./ffi/connect.ts";
export type { PeerCredentials } from "./ffi/credentials.ts";
export { type ActivatedSocket, activatedSockets } from "./ffi/activation.ts";
export { type AnySocket, fromFd } from "./ffi/from_fd.ts";
export { listen } from "./ffi/listen.ts";
export { listenDatagram } from "./ffi/listen_datagram.ts";
export type { MulticastMembership, MulticastOptions } from "./ffi/multicast.ts";
export type { StreamConn } from "./ffi/stream.ts";
export type { StreamListener } from "./ffi/listener.ts";
export type { KeepAlive, TcpConn, TcpListener } from "./ffi/tcp.ts";
export type { TcpConnectOptions } from "./ffi/tcp_connect.ts";
export type { TcpListenOptions } from "./ffi/tcp_listen.ts";
export type { SendOptions, UdpSocket } from "./ffi/udp.ts";
export type { MulticastEndpoint } from "./ffi/udp_multicast.ts";
export type { UdpListenOptions } from "./ffi/udp_listen.ts";
export type { OwnedFd } from "./ffi/owned_fd.ts";
export type { SeqpacketConn, SeqpacketListener } from "./ffi/seqpacket.ts";
export type { UnixConn, UnixListener } from "./ffi/unix.ts";
export { type SeqpacketConnectOptions, socketPair, type UnixConnectOptions } from "./ffi/unix_connect.ts";
export type { UnixDatagram, UnixDatagramOptions } from "./ffi/unix_datagram.ts";
export type { SeqpacketListenOptions, UnixListenOptions } from "./ffi/unix_listen.ts";
export type {
  DescriptorPassing,
  OutgoingUnixMessage,
  Passable,
  ReceiveMessageOptions,
  UnixMessage,
} from "./ffi/unix_message.ts";
export type { UnixPathOptions } from "./ffi/unix_path.ts";
