/** What `console.log` shows of an object beside the name of its class. */
export type Shown = Readonly<Record<string, unknown>>;

type Inspect = (value: unknown, options?: unknown) => string;

/** Makes `console.log` and `util.inspect` show a class's objects as its name and these members, and nothing else. The
 * two symbols are what Deno's and Node's inspectors look for. */
export function inspectable<T extends object>(
  constructor: { readonly name: string; readonly prototype: T },
  members: (object: T) => Shown,
): void {
  const { name, prototype } = constructor;
  function show(object: T, inspect: Inspect, options: unknown): string {
    // The prototype itself is no object of the class: it has no members to ask for.
    return object === prototype ? `${name} {}` : `${name} ${inspect(members(object), options)}`;
  }
  const methods = {
    "Deno.customInspect": function (this: T, inspect: Inspect, options: unknown): string {
      return show(this, inspect, options);
    },
    "nodejs.util.inspect.custom": function (this: T, _depth: number, options: unknown, inspect: Inspect): string {
      return show(this, inspect, options);
    },
  };
  for (const [symbol, value] of Object.entries(methods)) {
    Object.defineProperty(prototype, Symbol.for(symbol), { value, configurable: true, writable: true });
  }
}
