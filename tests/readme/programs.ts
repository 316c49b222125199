/**
 * The programs of the README: each block of TypeScript with the command that stands before it.
 *
 * @module
 */
import { ROOT } from "../support/repository.ts";

/** A program of the README. */
export interface Program {
  /** The heading it stands under, and its file's name. */
  heading: string;
  file: string;
  /** Arguments of `deno`, as printed: "run", the flags and the file. */
  command: readonly string[];
  /** Shell commands that are printed before it and make the files it reads. */
  preparation: readonly string[];
  text: string;
  /** What comments say that each console.log prints, in order. */
  prints: readonly string[];
}

/** The README. */
export const readme: string = await Deno.readTextFile(new URL("README.md", ROOT));

/** The name that the programs import. */
export const NAME = "@berkeley/sockets";

/** Blocks of TypeScript, with the prose and the shell commands since the heading or the block before. */
function* blocks(): Generator<{ heading: string; prose: string; shell: string; text: string }> {
  let [heading, prose, shell, text] = ["", "", "", ""];
  let inside: string | null = null;
  for (const line of readme.split("\n")) {
    const fence = /^```(.*)$/.exec(line);
    if (inside === null && fence !== null) [inside, text] = [fence[1]!, ""];
    else if (fence !== null) {
      if (inside === "ts") yield { heading, prose, shell, text };
      [prose, shell] = ["", inside === "sh" ? shell + text : ""];
      inside = null;
    } else if (inside !== null) text += `${line}\n`;
    else if (/^#+ /.test(line)) [heading, prose, shell] = [line.replace(/^#+ /, ""), "", ""];
    else prose += `${line} `;
  }
}

/** The programs, which are the blocks that import the module by its name. */
export const programs: readonly Program[] = Array.from(blocks()).filter(({ text }) => text.includes(`"${NAME}"`)).map(
  ({ heading, prose, shell, text }) => {
    const commands = Array.from(prose.matchAll(/`deno ((?:run|test) [^`]*)`/g), ([, command]) => command!.split(" "));
    const command = commands.at(-1);
    if (command === undefined) throw new Error(`No command stands before a program under "${heading}"`);
    const prints = Array.from(text.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm), ([, printed]) => printed!);
    const inline = Array.from(prose.matchAll(/`(printf [^`]*)`/g), ([, command]) => command!);
    const preparation = [...shell.split("\n").filter((line) => line !== ""), ...inline];
    return { heading, file: command.at(-1)!, command, preparation, text, prints };
  },
);
