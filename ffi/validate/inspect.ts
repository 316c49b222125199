/** The name and the members that `console.log` shows of an object. */
export interface Shown {
  readonly name: string;
  readonly members: Readonly<Record<string, unknown>>;
}

type Inspect = (value: unknown, options?: unknown) => string;

/** Makes `console.log` and `util.inspect` show the objects of a class as a name and its members, and nothing else. Deno's
 * inspector calls the method of the first symbol, Node's that of the second. */
export function inspectable<T extends object>(prototype: T, shown: (object: T) => Shown): void {
  function show(object: T, inspect: Inspect, options: unknown): string {
    // A prototype is not an object of its class and has no members.
    if (Object.hasOwn(object, "constructor")) return `${object.constructor.name}.prototype`;
    const { name, members } = membersOf(object);
    return `${name} ${inspect(members, options)}`;
  }
  function membersOf(object: T): Shown {
    try {
      return shown(object);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      // Made by Object.create from a prototype: it has no private members.
      return { name: object.constructor.name, members: {} };
    }
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
