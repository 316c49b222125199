/**
 * Calls a door with odd arguments and judges what comes of it.
 *
 * @module
 */
import { describeDescriptors, descriptorCount } from "../support/descriptors.ts";
import type { Door, Subject } from "./doors.ts";
import { ODD_VALUES, Touched } from "./odd_values.ts";

/** Words of the language and the runtime for what a door should have refused in its own. */
const INTERNAL = new RegExp(
  [
    "Invalid FFI",
    "is not iterable",
    "is not a function",
    "is not a constructor",
    "Cannot (read|set|destructure|mix|convert|define|assign|add|delete)",
    "Cannot perform %",
    "reading '",
    "outside the bounds",
    "out of bounds",
    "Invalid (typed )?array",
    "Invalid array",
    "allocation failed",
    "call stack",
    "Illegal invocation",
    "undefined is not",
    "private member",
    "not an object",
    "BigInt value",
    "of undefined",
    "of null",
    "Method .* called on incompatible",
    "webidl|argument 1|core\\.",
  ].join("|"),
);

/** Engine's words for a value of ours that throws by itself. */
const OWN_FAULT = /proxy that has been revoked|Cannot convert a Symbol/;

/** Turns of the event loop that a promise may take once its socket is closed. */
const TURNS = 200;

/** One call, and what was wrong with its outcome. */
export interface Finding {
  readonly door: string;
  readonly argument: string;
  readonly value: string;
  readonly fault: string;
}

/** Arguments of which one, or one member of one, is exchanged. */
function* exchanged(args: readonly unknown[], odd: () => unknown): Generator<[argument: string, args: unknown[]]> {
  for (let at = 0; at < Math.max(args.length, 1); at++) {
    yield [`argument ${at}`, replaced(args, at, odd())];
    yield* membersExchanged(args, at, odd);
  }
}

function replaced(args: readonly unknown[], at: number, value: unknown): unknown[] {
  const copy = [...args];
  copy[at] = value;
  return copy;
}

function* membersExchanged(args: readonly unknown[], at: number, odd: () => unknown): Generator<[string, unknown[]]> {
  const given = args[at];
  if (given === null || typeof given !== "object") return;
  const plain = Array.isArray(given) || Object.getPrototypeOf(given) === Object.prototype;
  if (!plain) return;
  for (const key of Object.keys(given)) {
    const copy = Array.isArray(given) ? [...given] : { ...given };
    Reflect.set(copy, key, odd());
    yield [`argument ${at}, ${key}`, replaced(args, at, copy)];
  }
}

/** Which calls are made. */
export interface Choice {
  /** Whether to make this one. */
  choose(): boolean;
  /** Exchanges one more argument, or none. */
  more(args: readonly unknown[]): readonly unknown[];
}

/** Knocks at one door with all odd values that are chosen. Returns how often, and what was found. */
export async function knock(
  door: Door,
  { choose, more }: Choice,
): Promise<{ calls: number; findings: Finding[] }> {
  const findings: Finding[] = [];
  let calls = 0;
  const before = descriptorCount();
  let subject: Subject | null = null;
  for (const [value, odd] of Object.entries(ODD_VALUES)) {
    subject ??= await door.open();
    const cases = Array.from(exchanged(door.args(subject.object), odd));
    for (const [argument, args] of cases) {
      if (!choose()) continue;
      subject ??= await door.open();
      calls++;
      const { fault, spent } = await outcome(door, subject, more(args));
      if (fault !== null) findings.push({ door: door.name, argument, value, fault });
      if (!spent && subject.usable()) continue;
      subject.close();
      subject = null;
    }
  }
  subject?.close();
  const left = await settledCount(before);
  if (left !== 0) {
    findings.push({
      door: door.name,
      argument: "all",
      value: "all",
      fault: `${left} descriptors left open\n${describeDescriptors()}`,
    });
  }
  return { calls, findings };
}

async function settledCount(before: number): Promise<number> {
  let left = descriptorCount() - before;
  for (let turn = 0; left !== 0 && turn < TURNS; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    left = descriptorCount() - before;
  }
  return left;
}

/** Calls once. `spent` says that its object has to be closed before it can be used again. */
async function outcome(
  door: Door,
  subject: Subject,
  args: readonly unknown[],
): Promise<{ fault: string | null; spent: boolean }> {
  let result: unknown;
  try {
    result = door.call(subject.object, args);
  } catch (error) {
    return { fault: judge(error), spent: false };
  }
  if (!(result instanceof Promise)) {
    discard(result);
    return { fault: null, spent: false };
  }
  let settled = false;
  let fault: string | null = null;
  result.then((value) => {
    settled = true;
    discard(value);
  }, (error) => {
    settled = true;
    fault = judge(error);
  });
  for (let turn = 0; !settled && turn < 3; turn++) await turnOfLoop();
  const waited = !settled;
  if (waited) subject.close();
  for (let turn = 0; !settled && turn < TURNS; turn++) await pause(turn);
  return { fault: settled ? fault : "it hangs, though its socket was closed", spent: waited };
}

function turnOfLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** First turns, then milliseconds: names are looked up on another thread. */
function pause(turn: number): Promise<void> {
  return turn < 10 ? turnOfLoop() : new Promise((resolve) => setTimeout(resolve, 10));
}

/** Closes whatever a door opened. */
function discard(value: unknown): void {
  if (value === null || typeof value !== "object") return;
  const members: unknown[] = Object.values(value);
  const things = [value, ...members, ...members.filter(Array.isArray).flat()];
  for (const thing of things) {
    if (thing !== null && typeof thing === "object" && Symbol.dispose in thing) (thing as Disposable)[Symbol.dispose]();
  }
}

/** What is wrong with an error, or null. */
function judge(error: unknown): string | null {
  if (error instanceof Touched) return null;
  if (!(error instanceof Error)) return `it threw ${Deno.inspect(error)}, which is no Error`;
  const causes = error instanceof AggregateError ? error.errors : [];
  for (const cause of causes) {
    const fault = judge(cause);
    if (fault !== null) return fault;
  }
  const { message } = error;
  if (message === "") return `${error.name} without a message`;
  // The runtime's own words for a path quote it whole.
  if (message.length > 1000 && !/\(os error \d+\)/.test(message)) return `a message of ${message.length} characters`;
  return INTERNAL.test(message) && !OWN_FAULT.test(message) ? `${error.name}: ${message}\n${error.stack}` : null;
}
