/**
 * Knocks at every door with odd values: `knock.ts <seed> <share> [pairs]`. Of all combinations it takes that share, from 0 to 1; with "pairs"
 * every other call has a second odd value. To be run where no network but loopback is. Prints a JSON object: how many doors and calls there were, and what was wrong.
 *
 * @module
 */
import { generator } from "../../support/random.ts";
import { allDoors } from "../doors.ts";
import { type Choice, type Finding, knock } from "../knocking.ts";
import { ODD_VALUES, Touched } from "../odd_values.ts";

const [seed = "1", share = "1", pairs] = Deno.args;
const next = generator(Number(seed));
const values = Object.values(ODD_VALUES);

const choice: Choice = {
  choose: () => next(1_000_000) < Number(share) * 1_000_000,
  more(args) {
    if (pairs !== "pairs" || next(2) === 0) return args;
    const copy = [...args];
    copy[next(args.length + 1)] = values[next(values.length)]!();
    return copy;
  },
};

const findings: Finding[] = [];
let current = "";

addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  if (event.reason instanceof Touched) return;
  findings.push({
    door: current,
    argument: "?",
    value: "?",
    fault: `unhandled: ${event.reason?.stack ?? event.reason}`,
  });
});
addEventListener("error", (event) => {
  event.preventDefault();
  findings.push({
    door: current,
    argument: "?",
    value: "?",
    fault: `uncaught: ${event.error?.stack ?? event.message}`,
  });
});

// The runtime makes a pair of sockets for signals at some time, and keeps it: before anything is counted.
const ignore = () => {};
Deno.addSignalListener("SIGUSR2", ignore);
Deno.removeSignalListener("SIGUSR2", ignore);

let calls = 0;
const doors = await allDoors();
for (const door of doors) {
  current = door.name;
  const result = await knock(door, choice);
  calls += result.calls;
  findings.push(...result.findings);
}
console.log(JSON.stringify({ doors: doors.length, values: Object.keys(ODD_VALUES).length, calls, findings }));
Deno.exit();
