// What Deno's permissions answered, remembered for as long as nothing can have been revoked. A question costs 0.7 to
// 0.9 µs, which is half of what sending a datagram takes; remembered, it costs 0.05.
//
// Deno reports a revocation in two ways. A PermissionStatus fires "change", but only the status of the very descriptor
// that was revoked: enough for what is granted without limits, where only revoking the whole kind has an effect. A list
// of hosts or paths shrinks without an event, so the first time one of its entries is remembered revokeSync, which
// revoke calls too, is wrapped. Other threads share the permissions and fire nothing here: their revocations are
// noticed when the memory lapses.

export type Access = "net" | "read" | "write";

/** Milliseconds for which an answer is remembered at most, and by which a revocation in another thread may be late. */
const LONGEST_MEMORY = 10;

/** Distinct names remembered: a scan of a whole network must not fill memory. */
const MOST_REMEMBERED = 4096;

/** Kinds of names, each with a set of its own: a host and a path that are spelled alike never stand for each other. */
type NameKind = "host" | "socket" | "destination";

const remembered: Readonly<Record<NameKind, Set<string>>> = {
  host: new Set(),
  socket: new Set(),
  destination: new Set(),
};
/** The clock as it was when this module was loaded. */
const { now } = Date;
const unlimited = new Map<Access, boolean>();
const watched = new Set<Access>();
let epoch = 0;
let askedAt = -Infinity;
/** Undefined as long as no entry of a list is remembered. */
let revocationIsSeen: boolean | undefined;

function forget(): void {
  epoch++;
  unlimited.clear();
  for (const names of Object.values(remembered)) names.clear();
}

/** Returns a number that stays the same as long as every grant that was asked about still holds. */
export function grantEpoch(): number {
  const time = now();
  // A clock that was set back does not tell how long ago it was.
  if (time - askedAt >= LONGEST_MEMORY || time < askedAt || revocationIsSeen === false) {
    askedAt = time;
    forget();
  }
  return epoch;
}

/** Forgets what was answered before. Opening a socket asks anew each time: beside its system calls a question costs
 * nothing, and permissions can change without an event. */
export function askAgain(): void {
  askedAt = now();
  forget();
}

/** Whether a kind of access is granted for everything, without exceptions. */
export function isUnlimited(access: Access): boolean {
  grantEpoch();
  return unlimited.get(access) ?? askUnlimited(access);
}

function askUnlimited(access: Access): boolean {
  const status = Deno.permissions.querySync({ name: access });
  if (!watched.has(access)) {
    watched.add(access);
    status.addEventListener("change", forget);
  }
  const answer = status.state === "granted" && !status.partial;
  unlimited.set(access, answer);
  return answer;
}

/** Whether this name was granted and nothing was revoked since. */
export function isRemembered(kind: NameKind, name: string): boolean {
  grantEpoch();
  return remembered[kind].has(name);
}

/** Remembers that a name was granted, where a revocation would be noticed. */
export function remember(kind: NameKind, name: string): void {
  if (!(revocationIsSeen ??= watchRevocations())) return;
  const names = remembered[kind];
  if (names.size === MOST_REMEMBERED) names.clear();
  names.add(name);
}

/** Wraps revokeSync. Returns false where the runtime's objects are frozen. */
function watchRevocations(): boolean {
  const prototype: object = Object.getPrototypeOf(Deno.permissions);
  const property = Object.getOwnPropertyDescriptor(prototype, "revokeSync");
  if (property === undefined || property.configurable !== true) return false;
  const original: typeof Deno.permissions.revokeSync = property.value;
  const { revokeSync } = {
    revokeSync(this: Deno.Permissions, descriptor: Deno.PermissionDescriptor): Deno.PermissionStatus {
      try {
        return original.call(this, descriptor);
      } finally {
        forget();
      }
    },
  };
  return Reflect.defineProperty(prototype, "revokeSync", { ...property, value: revokeSync });
}
