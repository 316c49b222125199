import { libc } from "../libc/libc.ts";
import { encodeAddrinfoHints, readAddrinfo } from "../struct/addrinfo.ts";
import type { InetAddress } from "../struct/sockaddr.ts";
import { decodeInet } from "./address.ts";
import { lookupFailure } from "./lookup_error.ts";

/** The families that addresses may be of. */
export type Family = "any" | "inet" | "inet6";

/** Lookups that run at a time. The pool has 32 threads for the whole process, which files and the runtime's own lookups
 * use too, and a name server that does not answer keeps a thread for half a minute. */
const MAX_LOOKUPS = 4;

const RESULT_SIZE = 48;
const encoder = new TextEncoder();

/** The memory of one call of getaddrinfo(3). */
class AddrinfoRequest {
  readonly node: Uint8Array<ArrayBuffer>;
  readonly hints: Uint8Array<ArrayBuffer>;
  readonly result = new BigUint64Array(1);

  constructor(hostname: string, family: Family) {
    const { system } = libc();
    const { AF_INET, AF_INET6, AF_UNSPEC, SOCK_STREAM } = system.constants;
    this.node = encoder.encode(`${hostname}\0`);
    const wanted = family === "inet" ? AF_INET : family === "inet6" ? AF_INET6 : AF_UNSPEC;
    // Without a socket type, every address would come once for each.
    this.hints = encodeAddrinfoHints(system, { flags: 0, family: wanted, socktype: SOCK_STREAM });
  }

  /** Decodes the results and frees them. */
  take(): InetAddress[] {
    const addresses: InetAddress[] = [];
    for (let at = this.result[0]!; at !== 0n;) {
      const entry = readAddrinfo(libc().system, libc().copyFrom(at, RESULT_SIZE));
      const address = entry.addr === 0n ? null : decodeInet(libc().copyFrom(entry.addr, entry.addrlen));
      if (address !== null) addresses.push(address);
      at = entry.next;
    }
    if (this.result[0] !== 0n) libc().c.freeaddrinfo(this.result[0]!);
    this.result[0] = 0n;
    return addresses;
  }
}

/** What getaddrinfo(3) returned: 0 or an error's number, and the addresses, whose ports are 0. */
interface Answer {
  readonly code: number;
  readonly addresses: readonly InetAddress[];
}

/** One name that is looked up, for all who ask for it meanwhile. */
interface Lookup {
  readonly hostname: string;
  readonly family: Family;
  readonly answer: PromiseWithResolvers<Answer>;
  /** How many still want the answer. */
  askers: number;
}

/** The lookups of a thread: those that run, and those that wait for one of them to end. */
class Lookups {
  readonly #byName = new Map<string, Lookup>();
  #queue: Lookup[] = [];
  #running = 0;

  /** Resolves to the answer for a name. What was begun for another asker, and runs, is shared. */
  async ask(hostname: string, family: Family, signal: AbortSignal | undefined): Promise<Answer> {
    const lookup = this.#find(hostname, family);
    lookup.askers++;
    try {
      return await abortable(lookup.answer.promise, signal);
    } finally {
      // getaddrinfo(3) cannot be cancelled; one that has not begun need not begin.
      lookup.askers--;
    }
  }

  #find(hostname: string, family: Family): Lookup {
    const name = `${family} ${hostname}`;
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const lookup: Lookup = { hostname, family, answer: Promise.withResolvers(), askers: 0 };
    // Whoever asked may have given up by the time it fails.
    lookup.answer.promise.catch(() => {});
    this.#byName.set(name, lookup);
    this.#queue.push(lookup);
    // When this turn is over, so that who asks counts as asking.
    queueMicrotask(() => this.#startNext());
    return lookup;
  }

  #startNext(): void {
    while (this.#running < MAX_LOOKUPS && this.#queue.length > 0) {
      const lookup = this.#queue.shift()!;
      if (lookup.askers === 0) this.#forget(lookup);
      else this.#run(lookup);
    }
  }

  async #run(lookup: Lookup): Promise<void> {
    this.#running++;
    try {
      const request = new AddrinfoRequest(lookup.hostname, lookup.family);
      const code = await libc().c.getaddrinfo_blocking(request.node, null, request.hints, request.result);
      lookup.answer.resolve({ code, addresses: request.take() });
    } catch (error) {
      lookup.answer.reject(error);
    }
    this.#running--;
    this.#forget(lookup);
    this.#startNext();
  }

  /** What is asked for from now on is looked up anew: the world may have changed. */
  #forget({ hostname, family }: Lookup): void {
    this.#byName.delete(`${family} ${hostname}`);
  }
}

const lookups = new Lookups();

/** The addresses of a name, in the order the system prefers them; their ports are 0. At most MAX_LOOKUPS names are
 * looked up at a time, and one name once at a time: getaddrinfo(3), on a thread of the pool. */
export async function lookUp(
  hostname: string,
  family: Family,
  signal: AbortSignal | undefined,
): Promise<readonly InetAddress[]> {
  const { code, addresses } = await lookups.ask(hostname, family, signal);
  if (code !== 0) throw lookupFailure(hostname, code);
  return addresses;
}

/** As lookUp, but blocks the event loop. */
export function lookUpNow(hostname: string, family: Family): readonly InetAddress[] {
  const request = new AddrinfoRequest(hostname, family);
  const code = libc().c.getaddrinfo(request.node, null, request.hints, request.result);
  const addresses = request.take();
  if (code !== 0) throw lookupFailure(hostname, code);
  return addresses;
}

function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
