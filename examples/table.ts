/**
 * Tables of the examples: aligned and with a bold header on a terminal, separated by tabs in a pipe.
 *
 * @module
 */

/** Whether to write for a person: on a terminal, and without NO_COLOR. Reading that variable needs no permission. */
const forPeople = Deno.stdout.isTerminal();
const bold = (text: string) => forPeople && !Deno.noColor ? `\x1b[1m${text}\x1b[22m` : text;

/** Pads the columns of one row, except for the last one. */
export function row(cells: readonly string[], widths: readonly number[]): string {
  if (!forPeople) return cells.join("\t");
  return cells.map((cell, column) => column === cells.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)).join("  ");
}

/** Returns the lines of a table. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((cells) => cells[column]!.length)));
  return [bold(row(header, widths)), ...rows.map((cells) => row(cells, widths))];
}
