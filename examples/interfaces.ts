/**
 * Lists the network interfaces of this machine: name, index, state, MTU, hardware address and IP addresses.
 *
 *     deno run --allow-ffi --allow-sys=networkInterfaces examples/interfaces.ts
 *
 * With `--watch` it goes on and prints every change: an interface that comes or goes, is switched on or off, gets an
 * address or loses one.
 *
 *     deno run --allow-ffi --allow-sys=networkInterfaces examples/interfaces.ts --watch
 *
 * @module
 */
import { interfaces, type NetworkInterface, watchInterfaces } from "../mod.ts";
import { fail, parseArgs, unknownArgument } from "./arguments.ts";
import { note } from "./progress.ts";
import { onStop } from "./signals.ts";
import { row, table } from "./table.ts";

const HELP = `Lists the network interfaces of this machine.

  --watch  print changes until Ctrl-C
  --json   print one JSON object a line
  --help   show this text`;

const HEADER = ["NAME", "INDEX", "STATE", "MTU", "MAC", "ADDRESSES"];

/** Widths of a change's columns, which has no table to fit into. */
const WIDTHS = [8, 8, 5, 24, 5, 17];

function stateOf({ up, loopback, multicast, pointToPoint }: NetworkInterface): string {
  const words = [
    up ? "up" : "down",
    loopback && "loopback",
    multicast && "multicast",
    pointToPoint && "point-to-point",
  ];
  return words.filter(Boolean).join(",");
}

function cells(one: NetworkInterface): string[] {
  const addresses = one.addresses.map(({ address, prefixLength, peer }) => {
    return peer === undefined ? `${address}/${prefixLength}` : `${address} → ${peer}/${prefixLength}`;
  });
  return [one.name, String(one.index), stateOf(one), String(one.mtu), one.mac ?? "-", addresses.join(" ") || "-"];
}

/** Prints the interfaces there are, and then every change until the signal is aborted. */
async function watch(json: boolean, signal: AbortSignal): Promise<void> {
  for await (const change of watchInterfaces({ signal })) {
    console.log(json ? JSON.stringify(change) : row([change.type, ...cells(change.interface)], WIDTHS));
  }
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, { boolean: ["watch", "json", "help"], unknown: unknownArgument });
  if (args.help) return console.log(HELP);
  if (!args.watch) {
    const found = interfaces();
    const lines = args.json ? found.map((one) => JSON.stringify(one)) : table(HEADER, found.map(cells));
    return console.log(lines.join("\n"));
  }
  const stopping = new AbortController();
  using _stop = onStop(() => stopping.abort());
  note("Watching the interfaces; Ctrl-C stops");
  await watch(args.json, stopping.signal);
}

try {
  await main();
} catch (error) {
  fail("interfaces", error);
}
