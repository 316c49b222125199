import { assertEquals } from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";
import { describe, it } from "@std/testing/bdd";

describe("parseArgs()", () => {
  it("types each flag by the option that names it", () => {
    const args = parseArgs([
      "--help",
      "--interface",
      "127.0.0.1",
      "--group=1",
      "--group=2",
      "--no-loopback",
      "text",
      "7",
    ], {
      boolean: ["help", "loopback"],
      string: ["interface", "port", "group", "unset"],
      collect: ["group"],
      negatable: ["loopback"],
      default: { loopback: true, port: "3702" },
      alias: { help: "h", interface: ["i", "nic"] },
    });
    const help: boolean = args.help;
    const helpByAlias: boolean = args.h;
    const nic: string | undefined = args.nic;
    const group: string[] = args.group;
    const loopback: boolean = args.loopback;
    const port: string = args.port;
    const unset: string | undefined = args.unset;
    const rest: (string | number)[] = args._;
    const stranger: unknown = args.stranger;
    assertEquals({ help, helpByAlias, nic, group, loopback, port, unset, rest, stranger }, {
      help: true,
      helpByAlias: true,
      nic: "127.0.0.1",
      group: ["1", "2"],
      loopback: false,
      port: "3702",
      unset: undefined,
      rest: ["text", 7],
      stranger: undefined,
    });
  });

  it("does not promise a string that was not given", () => {
    const args = parseArgs([], { string: ["interface"] });
    // @ts-expect-error The flag may be missing.
    const missing: string = args.interface;
    assertEquals(missing, undefined);
  });

  it("keeps what follows a double dash apart when asked", () => {
    const args = parseArgs(["a", "--", "--b"], { "--": true, boolean: ["b"] });
    const rest: string[] = args["--"];
    assertEquals([args._, rest, args.b], [["a"], ["--b"], false]);
  });

  it("takes single names for lists", () => {
    const args = parseArgs(["--count", "3", "--name", "3"], { string: "name", boolean: "quiet" });
    const quiet: boolean = args.quiet;
    assertEquals([quiet, args.name, args.count], [false, "3", 3]);
  });
});
