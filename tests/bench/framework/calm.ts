/** Waiting for a machine that others use too. */

/** Milliseconds of one look at what the processors do. */
const LOOK = 150;

/** Part of all processors that may be busy. */
const CALM = 0.08;

/** Clock ticks of all processors since the start: all of them, and those spent idle. Null where the system has no /proc. */
async function ticks(): Promise<{ all: number; idle: number } | null> {
  try {
    const [first] = (await Deno.readTextFile("/proc/stat")).split("\n");
    const fields = first!.split(/\s+/).slice(1, 9).map(Number);
    return { all: fields.reduce((sum, field) => sum + field, 0), idle: fields[3]! + fields[4]! };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Part of all processors that was busy during a look. */
async function busy(): Promise<number> {
  const before = await ticks();
  await new Promise((resolve) => setTimeout(resolve, LOOK));
  const after = await ticks();
  if (before === null || after === null) return 0;
  return 1 - (after.idle - before.idle) / (after.all - before.all);
}

/** Resolves to true when the processors are idle, and to false if they are not after so many seconds. */
export async function calm(seconds: number): Promise<boolean> {
  for (const end = performance.now() + seconds * 1000; performance.now() < end;) if (await busy() < CALM) return true;
  return false;
}
