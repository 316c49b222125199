/**
 * `describe`, `it` and hooks over `Deno.test`, in the calling forms of `jsr:@std/testing/bdd` that the tests of this
 * repository use. Each `it` is one `Deno.test`, named "describe: describe: it", so that `--filter` finds it and the
 * sanitizers judge it alone. Hooks belong to the whole file, and are called outside every `describe`.
 *
 * @module
 */

/** Options of `Deno.test`. Those of a `describe` hold for every `it` in it. */
export type TestOptions = Omit<Deno.TestDefinition, "name" | "fn">;

/** The body of an `it`. */
export type TestBody = (t: Deno.TestContext) => void | Promise<void>;

/** What the `describe`s around the next `it` add to it. */
let around: { names: readonly string[]; options: TestOptions } = { names: [], options: {} };

/** Registers one test. */
export function it(name: string, ...rest: [fn: TestBody] | [options: TestOptions, fn: TestBody]): void {
  const [options, body] = rest.length === 1 ? [{}, rest[0]] : rest;
  // A function of its own for each test, since the place that Deno reports is a property of the function.
  const fn: TestBody = (t) => body(t);
  Object.assign(fn, { [Symbol.for("Deno.test.location")]: callSite() });
  Deno.test({ ...around.options, ...options, name: [...around.names, name].join(": "), fn });
}

/** Registers a test that is reported as ignored. Its name says why. */
it.skip = (name: string, fn: TestBody): void => it(name, { ignore: true }, fn);

/** Puts a name before the names of the tests that `body` registers. */
export function describe(name: string, ...rest: [body: () => void] | [options: TestOptions, body: () => void]): void {
  const [options, body] = rest.length === 1 ? [{}, rest[0]] : rest;
  const outer = around;
  around = { names: [...outer.names, name], options: { ...outer.options, ...options } };
  try {
    body();
  } finally {
    around = outer;
  }
}

/** Runs before the first test of the file. */
export const beforeAll = hook("beforeAll");
/** Runs after the last test of the file; the hook registered last runs first. */
export const afterAll = hook("afterAll");
/** Runs before each test of the file. */
export const beforeEach = hook("beforeEach");
/** Runs after each test of the file, also after one that failed; the hook registered last runs first. */
export const afterEach = hook("afterEach");

function hook(name: "beforeAll" | "afterAll" | "beforeEach" | "afterEach"): (fn: () => void | Promise<void>) => void {
  return (fn) => {
    if (around.names.length > 0) throw new TypeError(`${name}() inside describe(): hooks belong to the whole file`);
    Deno.test[name](fn);
  };
}

/** "file:line:column" of the nearest caller that is neither this file nor a helper of the tests. */
function callSite(): string | undefined {
  const frames = new Error().stack?.split("\n").slice(1) ?? [];
  return frames.find((frame) => !/\/tests\/(std\/bdd|support\/(?!\w+_test\.)\w+)\.ts:/.test(frame))?.match(
    /([^\s()]+:\d+:\d+)\)?$/,
  )
    ?.[1];
}
