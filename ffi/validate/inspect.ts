/** The members that `console.log` shows of an object. */
export type Shown = Readonly<Record<string, unknown>>;

type Inspect = (value: unknown, options?: unknown) => string;

/** Makes `console.log` and `util.inspect` show the objects of a class as its name and `members`, and nothing else. Deno's
 * inspector calls the method of the first symbol, Node's that of the second. */
export function inspectable<T extends object>(
  constructor: { readonly name: string; readonly prototype: T },
  members: (object: T) => Shown,
): void {
  const { name, prototype } = constructor;
  function show(object: T, inspect: Inspect, options: unknown): string {
    // The prototype is not an object of the class and has no members.
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
