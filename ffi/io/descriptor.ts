import { libc } from "../libc/libc.ts";
import { type SocketError, systemError, unwrap } from "../libc/socket_error.ts";
import { ERRORS, HANGUP, READABLE, WRITABLE } from "../poll/poller.ts";
import { reactor } from "../poll/reactor.ts";
import type { Registration, Watcher } from "../poll/registrations.ts";
import { claim, ownerOf, release } from "./ownership.ts";
import { closeLingering, lingers } from "./linger.ts";
import { OperationQueue, type QueueOwner } from "./operation_queue.ts";
import { quote } from "../validate/quote.ts";

/** Owns one descriptor number from birth to close, and the operations that wait on it. Nothing else in the module
 * closes a socket. */
export class Descriptor implements Watcher, QueueOwner {
  #reads: OperationQueue | null = null;
  #writes: OperationQueue | null = null;
  /** What waits for the socket's error queue: nothing, for most. */
  #reports: OperationQueue[] | null = null;
  #readDeadline = Infinity;
  /** Runs once, before the number is closed or given away. */
  beforeClose: ((closing: boolean) => void) | null = null;
  /** Runs after an option, the address or the peer was set through a Socket: what is known of these may have changed. */
  afterChange: (() => void) | null = null;
  /** Takes what the kernel reports of packets sent earlier, and returns whether a call that failed with this error is to be
   * made again, since the error may be one of these; null where such errors are for whichever call comes next. */
  takeReports: ((error: SocketError | null) => boolean) | null = null;
  /** Whether a read would be served from what was taken from the kernel already. */
  holdsUnread: (() => boolean) | null = null;
  /** Bytes of a connection taken from the kernel, and handed to it. */
  bytesRead = 0;
  bytesWritten = 0;
  /** The errno of what was found to have ended the connection; 0 while nothing has. */
  failure = 0;
  /** Whether close(2) may wait for what is still to be sent. Unix sockets hand it over at once. */
  mayLinger = true;
  /** Whether the read side was shut down here: reads return the end from then on, whatever has been received. */
  readClosed = false;
  /** The message of the error for using it when closed. */
  closedMessage: string;
  #fd: number;
  #registration: Registration | null = null;
  #waiting = 0;
  #referenced = true;

  constructor(fd: number, closedMessage = "Socket has been closed") {
    this.#fd = fd;
    this.closedMessage = closedMessage;
    claim(fd, "socket");
  }

  /** The reads that wait. Made when first asked for, since a connection may come and go without. */
  get reads(): OperationQueue {
    return this.#reads ??= new OperationQueue(this, READABLE);
  }

  /** The writes that wait. */
  get writes(): OperationQueue {
    return this.#writes ??= new OperationQueue(this, WRITABLE);
  }

  /** A further queue, of operations that wait for what the kernel reports of packets sent earlier. The read deadline is
   * theirs too. */
  addReports(): OperationQueue {
    const queue = new OperationQueue(this, ERRORS);
    queue.setDeadline(this.#readDeadline);
    (this.#reports ??= []).push(queue);
    return queue;
  }

  /** Sets the deadline of what is read and received, in milliseconds since the epoch, Infinity for none. */
  setReadDeadline(deadline: number): void {
    this.#readDeadline = deadline;
    this.reads.setDeadline(deadline);
    for (const queue of this.#reports ?? []) queue.setDeadline(deadline);
  }

  get closed(): boolean {
    return this.#fd === -1;
  }

  /** The number. Throws BadResource when closed. */
  get fd(): number {
    if (this.#fd === -1) throw this.refusal();
    return this.#fd;
  }

  refusal(): Error | null {
    return this.#fd === -1 ? new Deno.errors.BadResource(this.closedMessage) : null;
  }

  watch(interest: number): void {
    if (interest === WRITABLE) reactor().expectRoom();
    const registration = this.#registration;
    if (registration === null) this.#registration = reactor().add(this.fd, this, interest);
    else if ((registration.interest & interest) !== interest || reactor().oneShot) {
      reactor().modify(this.fd, registration, interest);
    }
  }

  schedule(): void {
    reactor().schedule(this);
  }

  spend(): boolean {
    return reactor().spend();
  }

  ready(readiness: number): void {
    const hungUp = (readiness & HANGUP) !== 0;
    if ((readiness & READABLE) !== 0 && this.#reads !== null) this.#reads.ready(hungUp);
    if ((readiness & WRITABLE) !== 0 && this.#writes !== null) this.#writes.ready(hungUp);
    // Data alone tells nothing of them.
    if (this.#reports !== null && readiness !== READABLE) { for (const queue of this.#reports) queue.ready(hungUp); }
  }

  /** The poller has failed: so does all that waits. */
  fail(error: unknown): void {
    this.#registration = null;
    for (const queue of this.#queues()) queue.cancelAll(() => error);
  }

  #queues(): OperationQueue[] {
    return [this.#reads, this.#writes, ...this.#reports ?? []].filter((queue) => queue !== null);
  }

  addWaiter(): void {
    reactor().addWaiter(this.#referenced);
    this.#waiting++;
  }

  removeWaiter(): void {
    this.#waiting--;
    reactor().removeWaiter(this.#referenced);
  }

  /** Whether what waits here keeps the process alive. */
  get referenced(): boolean {
    return this.#referenced;
  }

  ref(): void {
    this.#setReferenced(true);
  }

  unref(): void {
    this.#setReferenced(false);
  }

  #setReferenced(referenced: boolean): void {
    if (this.#referenced === referenced) return;
    this.#referenced = referenced;
    if (this.#waiting > 0) reactor().changeReferenced(referenced ? this.#waiting : -this.#waiting);
  }

  /** Closes the number at once, then rejects what waits. Throws BadResource the second time. */
  close(): void {
    const fd = this.#release(true);
    // Whatever close(2) returns, the number is gone; repeating it could close another's.
    if (this.mayLinger && lingers(fd)) closeLingering(fd);
    else libc().c.close(fd);
    this.#interrupt();
  }

  /** Gives the number away, open. */
  detach(): number {
    const fd = this.#release(false);
    this.#interrupt();
    return fd;
  }

  #release(closing: boolean): number {
    const fd = this.fd;
    this.beforeClose?.(closing);
    this.beforeClose = null;
    this.#fd = -1;
    release(fd);
    if (this.#registration !== null) reactor().delete(fd, this.#registration);
    this.#registration = null;
    return fd;
  }

  #interrupt(): void {
    for (const queue of this.#queues()) queue.interrupt();
  }
}

/** Opens a descriptor that is non-blocking and close-on-exec before anything else can see it. */
export function openDescriptor(domain: number, type: number, protocol: number): Descriptor {
  const { c, system: { constants } } = libc();
  const flags = constants.SOCK_NONBLOCK | constants.SOCK_CLOEXEC;
  const fd = unwrap(c.socket(domain, type | flags, protocol), "socket", undefined, (code) => {
    if (code === "EPERM" && type === constants.SOCK_RAW) return "a raw socket needs root or CAP_NET_RAW";
    return /SUPPORT$|^EINVAL$/.test(code) ? `domain ${domain}, type ${type}, protocol ${protocol}` : undefined;
  });
  const descriptor = new Descriptor(fd);
  if (constants.SOCK_NONBLOCK === 0) closeUnless(descriptor, () => setNonblockingCloseOnExec(fd));
  return descriptor;
}

/** Makes a descriptor from elsewhere non-blocking and close-on-exec. */
export function setNonblockingCloseOnExec(fd: number): void {
  const { FD_CLOEXEC, F_GETFL, F_SETFD, F_SETFL, O_NONBLOCK } = libc().system.constants;
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  const flags = fcntl(fd, F_GETFL, 0);
  if ((flags & O_NONBLOCK) === 0) fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

/** Refuses what JavaScript passes to a private or protected constructor from outside: there, it must not be able to pass a
 * descriptor number.
 *
 * @throws {TypeError} for anything but a Descriptor
 */
export function requireDescriptor(
  given: Descriptor,
  makers = "listen, connect, listenDatagram, socketPair and fromFd make sockets",
): void {
  if (!(given instanceof Descriptor)) throw new TypeError(`Illegal constructor: ${makers}`);
}

/** Whether an open descriptor is a socket's. Throws BadResource for one that is not open. */
export function isSocket(fd: number): boolean {
  const { c, errno, system: { constants, errors, options } } = libc();
  const type = new Int32Array(1);
  if (c.getsockopt(fd, constants.SOL_SOCKET, options.SO_TYPE!.name, type, Uint32Array.of(4)) !== -1) return true;
  const code = errno();
  if (code === errors.ENOTSOCK) return false;
  throw systemError(code, "getsockopt", `descriptor ${fd}`);
}

/** Throws for a number that this module will close. */
function requireUnowned(fd: number): void {
  const owner = ownerOf(fd);
  if (owner === "socket") throw new TypeError(`Descriptor ${fd} belongs to an open socket; detach() gives it away`);
  if (owner === "OwnedFd") throw new TypeError(`Descriptor ${fd} belongs to an OwnedFd: pass that to fromFd`);
}

/** Checks a number from elsewhere that is to be taken over: an open socket that nothing here owns. */
export function requireForeignSocket(given: number): number {
  if (!Number.isInteger(given) || given < 0 || given > 0x7fff_ffff) {
    throw new TypeError(`Invalid descriptor: ${quote(given)}, expected a number from 0 up or an OwnedFd`);
  }
  // FFI refuses -0 as an integer, and adding 0 makes it one.
  const fd = given + 0;
  requireUnowned(fd);
  if (!isSocket(fd)) throw new TypeError(`Descriptor ${fd} is not a socket`);
  return fd;
}

/** Makes an owner for a number that passed `requireForeignSocket`. Where that fails the number has no owner again, and
 * blocks and is inherited as it was before. */
export function takeOver<T>(fd: number, make: (descriptor: Descriptor) => T): T {
  const { F_GETFD, F_GETFL, F_SETFD, F_SETFL } = libc().system.constants;
  const descriptorFlags = fcntl(fd, F_GETFD, 0);
  const statusFlags = fcntl(fd, F_GETFL, 0);
  setNonblockingCloseOnExec(fd);
  const descriptor = new Descriptor(fd);
  try {
    return make(descriptor);
  } catch (error) {
    if (!descriptor.closed) descriptor.detach();
    fcntl(fd, F_SETFL, statusFlags);
    fcntl(fd, F_SETFD, descriptorFlags);
    throw error;
  }
}

/** fcntl(2), whose third argument is variadic. */
export function fcntl(fd: number, operation: number, argument: number): number {
  const { c, system } = libc();
  const result = system.variadicOnStack
    ? c.fcntl_on_stack(fd, operation, 0n, 0n, 0n, 0n, 0n, 0n, BigInt(argument))
    : c.fcntl(fd, operation, argument);
  return unwrap(result, "fcntl");
}

/** Runs the steps between a descriptor's birth and the object that will own it; when one fails the descriptor does not
 * outlive it. */
export function closeUnless<T>(descriptor: Descriptor, steps: () => T): T {
  try {
    return steps();
  } catch (error) {
    if (!descriptor.closed) descriptor.close();
    throw error;
  }
}
