/**
 * `describe`, `it` and hooks over `Deno.test` and its steps, with the names and the calling forms of
 * `jsr:@std/testing/bdd` that the tests of this repository use.
 *
 * A top-level `describe` is one `Deno.test`; what it contains are its steps. A top-level `it` is a `Deno.test` too.
 * Hooks outside every `describe` belong to the whole file: `beforeAll` and `afterAll` run once for it, `beforeEach` and
 * `afterEach` around every `it` in it.
 *
 * @module
 */

/** What a hook runs. */
export type Hook = () => void | Promise<void>;

/** The body of an `it`. */
export type TestBody = (t: Deno.TestContext) => void | Promise<void>;

/** The body of a `describe`: it registers tests and hooks, and returns nothing. */
export type SuiteBody = () => void;

/** What may be asked of a test or a suite, as `Deno.test` takes it. */
export type TestOptions = Omit<Deno.TestDefinition, "name" | "fn">;

/** A test or a suite as one object. */
export interface Definition<Body> extends TestOptions {
  /** The name it is reported under. */
  name: string;
  /** The body. */
  fn: Body;
}

/** The forms in which `describe` and `it` are called. */
export interface Register<Body> {
  (name: string, fn: Body): void;
  (name: string, options: TestOptions, fn: Body): void;
  (options: Omit<Definition<Body>, "fn">, fn: Body): void;
  (definition: Definition<Body>): void;
}

/** `describe` and `it` with their variants. */
export interface RegisterWithVariants<Body> extends Register<Body> {
  /** Runs this one and leaves out its neighbours; the run as a whole then fails, so that it is not forgotten. */
  only: Register<Body>;
  /** Reports this one as ignored. */
  skip: Register<Body>;
  /** Reports this one as ignored. */
  ignore: Register<Body>;
}

interface Hooks {
  beforeAll: Hook[];
  afterAll: Hook[];
  beforeEach: Hook[];
  afterEach: Hook[];
}

interface Case {
  kind: "case";
  definition: Definition<TestBody>;
}

interface Suite {
  kind: "suite";
  definition: Definition<SuiteBody>;
  hooks: Hooks;
  children: (Case | Suite)[];
}

/** Hooks of the file itself; its `beforeAll` and `afterAll` are Deno's. */
const fileHooks: Hooks = noHooks();

/** The suite whose body is running, while the file registers its tests. */
let current: Suite | null = null;

/** True from the first test on: too late to register anything. */
let started = false;

/** Groups tests. */
export const describe: RegisterWithVariants<SuiteBody> = withVariants(addSuite);

/** Registers a test. */
export const it: RegisterWithVariants<TestBody> = withVariants(addCase);

/** Runs before the first test of the suite. Where it throws, no test of the suite runs and the suite fails. */
export function beforeAll(fn: Hook): void {
  refuseIfStarted("beforeAll()");
  if (current === null) Deno.test.beforeAll(fn);
  else current.hooks.beforeAll.push(fn);
}

/** Runs after the last test of the suite, also when something before it failed. */
export function afterAll(fn: Hook): void {
  refuseIfStarted("afterAll()");
  if (current === null) Deno.test.afterAll(fn);
  else current.hooks.afterAll.push(fn);
}

/** Runs before each test of the suite and of the suites within it, the outermost first. */
export function beforeEach(fn: Hook): void {
  refuseIfStarted("beforeEach()");
  (current?.hooks ?? fileHooks).beforeEach.push(fn);
}

/** Runs after each test of the suite and of the suites within it, the innermost first, also when the test failed. */
export function afterEach(fn: Hook): void {
  refuseIfStarted("afterEach()");
  (current?.hooks ?? fileHooks).afterEach.push(fn);
}

function withVariants<Body>(add: (definition: Definition<Body>) => void): RegisterWithVariants<Body> {
  const register = (extra: TestOptions): Register<Body> => (...args: RegisterArguments<Body>) =>
    add({ ...readDefinition(args), ...extra });
  const ignored = register({ ignore: true });
  return Object.assign(register({}), { only: register({ only: true }), skip: ignored, ignore: ignored });
}

type RegisterArguments<Body> = [
  first: string | Omit<Definition<Body>, "fn"> | Definition<Body>,
  second?: TestOptions | Body,
  third?: Body,
];

function readDefinition<Body>([first, second, third]: RegisterArguments<Body>): Definition<Body> {
  const named = typeof first === "string" ? { name: first } : first;
  const options = typeof second === "function" ? {} : second;
  const body = typeof second === "function" ? { fn: second } : third === undefined ? {} : { fn: third };
  const definition = { ...named, ...options, ...body };
  if (!("fn" in definition) || typeof definition.fn !== "function") {
    throw new TypeError(`Test "${definition.name}" has no body`);
  }
  return definition as Definition<Body>;
}

function addSuite(definition: Definition<SuiteBody>): void {
  const suite: Suite = { kind: "suite", definition, hooks: noHooks(), children: [] };
  const parent = current;
  refuseIfMisplaced(definition, parent);
  if (definition.ignore !== true) registerChildren(suite);
  if (parent === null) register(suite, (t) => runSuite(suite, [], t));
  else parent.children.push(suite);
}

function registerChildren(suite: Suite): void {
  const { name, fn } = suite.definition;
  const parent = current;
  current = suite;
  try {
    const returned: unknown = fn();
    if (returned instanceof Promise) {
      throw new TypeError(`The body of describe "${name}" is asynchronous: it can only register tests`);
    }
  } finally {
    current = parent;
  }
}

function addCase(definition: Definition<TestBody>): void {
  const test: Case = { kind: "case", definition };
  refuseIfMisplaced(definition, current);
  if (current === null) register(test, (t) => runCase(test, [], t));
  else current.children.push(test);
}

/** Hands a top-level suite or test to Deno, under the place in the test file where it stands. */
function register(node: Case | Suite, run: TestBody): void {
  const { fn: _body, ...options } = node.definition;
  const fn: TestBody = (t) => {
    started = true;
    return run(t);
  };
  const location = callSite();
  if (location !== undefined) Object.assign(fn, { [Symbol.for("Deno.test.location")]: location });
  Deno.test(hasFocus(node) ? { ...options, fn, only: true } : { ...options, fn });
}

async function runSuite(suite: Suite, outer: readonly Suite[], t: Deno.TestContext): Promise<void> {
  const path = [...outer, suite];
  const focused = suite.children.some(hasFocus);
  const errors: unknown[] = [];
  if (await runUntilFailure(suite.hooks.beforeAll, errors)) {
    for (const child of suite.children) {
      const { name, ignore = false, sanitizeExit } = child.definition;
      await t.step({
        name,
        ignore: ignore || (focused && !hasFocus(child)),
        ...(sanitizeExit === undefined ? {} : { sanitizeExit }),
        fn: (t) => child.kind === "suite" ? runSuite(child, path, t) : runCase(child, path, t),
      });
    }
  }
  await runAll(suite.hooks.afterAll, errors);
  throwIfAny(errors, suite.definition.name);
}

async function runCase(test: Case, path: readonly Suite[], t: Deno.TestContext): Promise<void> {
  const hooks = [fileHooks, ...path.map((suite) => suite.hooks)];
  const errors: unknown[] = [];
  const before = hooks.flatMap((each) => each.beforeEach);
  await runUntilFailure([...before, () => test.definition.fn(t)], errors);
  await runAll(hooks.toReversed().flatMap((each) => each.afterEach), errors);
  throwIfAny(errors, test.definition.name);
}

async function runUntilFailure(actions: readonly Hook[], errors: unknown[]): Promise<boolean> {
  try {
    for (const action of actions) await action();
    return true;
  } catch (error) {
    errors.push(error);
    return false;
  }
}

async function runAll(actions: readonly Hook[], errors: unknown[]): Promise<void> {
  for (const action of actions) await runUntilFailure([action], errors);
}

function throwIfAny(errors: readonly unknown[], name: string): void {
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, `"${name}" failed, and so did what ran after it`);
}

function hasFocus(node: Case | Suite): boolean {
  return node.definition.only === true || (node.kind === "suite" && node.children.some(hasFocus));
}

/** Deno does nothing with these on a step, and an option without effect is worse than none. */
const TOP_LEVEL_ONLY = ["sanitizeOps", "sanitizeResources", "permissions", "timeout", "retry", "repeats"] as const;

function refuseIfMisplaced(options: TestOptions & { name: string }, parent: Suite | null): void {
  refuseIfStarted(`Test "${options.name}"`);
  if (parent === null) return;
  for (const option of TOP_LEVEL_ONLY) {
    if (options[option] !== undefined) {
      throw new TypeError(
        `"${option}" has no effect on the nested "${options.name}": set it on the outermost describe`,
      );
    }
  }
}

function refuseIfStarted(what: string): void {
  if (started) throw new Error(`${what} comes too late: tests and hooks are registered before the first test runs`);
}

/** "file:line:column" of the nearest frame outside this file. */
function callSite(): string | undefined {
  const frames = new Error().stack?.split("\n").slice(1) ?? [];
  return frames.find((frame) => !frame.includes(import.meta.url))?.match(/([^\s()]+:\d+:\d+)\)?$/)?.[1];
}

function noHooks(): Hooks {
  return { beforeAll: [], afterAll: [], beforeEach: [], afterEach: [] };
}
