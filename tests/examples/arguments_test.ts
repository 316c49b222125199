import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { atMost, messageOf, number, parseArgs, unknownArgument, wholeNumber } from "../../examples/arguments.ts";
import { listenDatagram } from "../../mod.ts";

const OPTIONS = {
  boolean: ["help", "listen"],
  string: ["host", "port", "record"],
  collect: ["record"],
  default: { host: "127.0.0.1" },
  alias: { listen: "l", port: "p" },
} as const;

const parse = (...args: string[]) => parseArgs(args, { ...OPTIONS, unknown: unknownArgument });

describe("parseArgs()", () => {
  it("reads options in each way of writing them", () => {
    const expected = { help: false, listen: true, host: "127.0.0.1", port: "80", record: [], _: [] };
    for (const args of [["--listen", "--port", "80"], ["--port=80", "--listen"], ["-l", "-p", "80"], ["-lp80"]]) {
      assertEquals(parse(...args), expected, args.join(" "));
    }
    assertEquals(parse("-h").help, true);
  });

  it("collects what can be repeated, and takes the last of what cannot", () => {
    const { record, port, host } = parse("--record", "a", "--port", "1", "--record=b", "--port", "2");
    assertEquals([record, port, host], [["a", "b"], "2", "127.0.0.1"]);
  });

  it("takes a negative number for a value", () => {
    assertEquals(parse("--port", "-1").port, "-1");
  });

  it("leaves other arguments to `unknown`, also behind --", () => {
    const args = parseArgs(["a", "--port", "1", "--", "-b"], { string: ["port", "_"], unknown: () => {} });
    assertEquals(args._, ["a", "-b"]);
  });

  const mistakes: [args: string[], message: string][] = [
    [["--port"], "--port needs a value; see --help"],
    [["--port", ""], "--port needs a value; see --help"],
    [["--port="], "--port needs a value; see --help"],
    [["--port", "--listen"], "--port needs a value; see --help"],
    [["-p"], "-p needs a value; see --help"],
    [["--help=no"], "--help takes no value"],
    [["--prot", "1"], "unknown option --prot; did you mean --port?"],
    [["--lis"], "unknown option --lis; did you mean --listen?"],
    [["--bogus"], "unknown option --bogus; see --help"],
    [["-x"], "unknown option -x; see --help"],
    [["more"], "unexpected argument more; see --help"],
  ];
  for (const [args, message] of mistakes) {
    it(`refuses ${args.map((arg) => arg || '""').join(" ")}`, () => {
      assertEquals(assertThrows(() => parse(...args), TypeError).message, message);
    });
  }

  it("accepts as many other arguments as are wanted, and no unknown option", () => {
    assertEquals(parseArgs(["a", "b"], { unknown: atMost(2) })._, ["a", "b"]);
    assertThrows(() => parseArgs(["a", "b"], { unknown: atMost(1) }), TypeError, "unexpected argument b; see --help");
    assertThrows(() => parseArgs(["a", "-x"], { unknown: atMost(2) }), TypeError, "unknown option -x; see --help");
    assertThrows(() => parseArgs([""], { unknown: atMost(1) }), TypeError, "an argument is empty; see --help");
  });
});

describe("number() and wholeNumber()", () => {
  it("read decimal digits and nothing else", () => {
    assertEquals([number("n", "0.5", 0, 1), wholeNumber("n", "80", 0, 100)], [0.5, 80]);
    for (const text of ["0x50", "1e1", "", " 1", "1_0", "٣", "Infinity", "NaN", "-1", "101"]) {
      assertThrows(() => number("n", text, 0, 100), RangeError, `--n ${text}: expected 0 to 100`);
      assertThrows(
        () => wholeNumber("n", text, 0, 100),
        RangeError,
        `--n ${text}: expected a whole number from 0 to 100`,
      );
    }
    assertThrows(() => wholeNumber("n", "1.5", 0, 100), RangeError);
  });
});

describe("messageOf()", () => {
  it("puts the program's own advice in the place of the API's hint", () => {
    using first = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
    const { port } = first.addr;
    const error = assertThrows(
      () => listenDatagram({ transport: "udp", hostname: "127.0.0.1", port }),
      Error,
      "reusePort",
    );
    const message = `bind 127.0.0.1:${port}: address already in use (EADDRINUSE)`;
    assertEquals(messageOf(error, { EACCES: "be root" }), error.message);
    assertEquals(messageOf(error, { EADDRINUSE: "see --port" }), `${message}; see --port`);
    assertEquals(
      messageOf(new AggregateError([error], "all failed"), { EADDRINUSE: "see --port" }),
      `all failed: ${message}; see --port`,
    );
  });

  it("leaves other errors as they are", () => {
    assertEquals(messageOf(new TypeError("a (b); c")), "a (b); c");
    assertEquals(messageOf("text"), "text");
  });
});
