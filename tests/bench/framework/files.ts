/** The path of a file of the bench, from its folder. */
export function file(path: string): string {
  return new URL(`../${path}`, import.meta.url).pathname;
}
