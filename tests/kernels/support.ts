/**
 * The program that uses every kind of socket, and what it prints where nothing is missing.
 *
 * @module
 */
export const EVERY_KIND = new URL("./programs/every_kind.ts", import.meta.url);

export const WHOLE: Readonly<Record<string, unknown>> = {
  "TCP": 5,
  "many datagrams": ["127.0.0.1", "127.0.0.1", "127.0.0.1"],
  "datagrams at intervals": 10,
  "a descriptor": 1,
  "a file": [100, 100],
  "the runtime's own socket": 3,
  "interfaces()": true,
  "watchInterfaces()": "added",
  "a group on every interface": "joined",
  "bound to an interface by its index": 4,
  "a group on lo": "joined",
};
