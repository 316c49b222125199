/**
 * Watches the interfaces of the namespace it runs in. Each line of standard input is a question, answered by a line of
 * JSON: "next" by the next change, "drops" by how many messages its netlink socket has lost, "abort" by whether the
 * iteration has ended.
 *
 * @module
 */
import { watchInterfaces } from "../../../mod.ts";
import { Lines } from "../../support/lines.ts";

const controller = new AbortController();
const changes = watchInterfaces({ signal: controller.signal });

/** The drops of the sockets of this process that joined groups: /proc/net/netlink. */
function drops(): number {
  const rows = Deno.readTextFileSync("/proc/self/net/netlink").trim().split("\n").slice(1);
  const fields = rows.map((row) => row.trim().split(/\s+/));
  return fields.filter(([, protocol]) => protocol === "0").reduce((sum, row) => sum + Number(row[8]), 0);
}

const answers: Readonly<Record<string, () => unknown>> = {
  next: async () => (await changes.next()).value,
  drops,
  abort: async () => {
    const waiting = changes.next();
    controller.abort();
    return [(await waiting).done, (await changes.next()).done];
  },
};

console.log("ready");
for await (const line of new Lines(Deno.stdin.readable)) {
  console.log(JSON.stringify({ answer: await answers[line]!() }));
}
