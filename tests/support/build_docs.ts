/**
 * Builds the documentation as a site in docs/ and fails for every warning: `deno task doc`.
 *
 * @module
 */
import { ROOT } from "./repository.ts";

const command = new Deno.Command(Deno.execPath(), {
  args: ["doc", "--html", "--name=Berkeley", "--output=docs", "mod.ts"],
  cwd: ROOT,
  env: { NO_COLOR: "1" },
  stdout: "piped",
  stderr: "piped",
});
const { code, stdout, stderr } = await command.output();
const lines = new TextDecoder().decode(stderr).concat(new TextDecoder().decode(stdout)).split("\n");
for (const line of lines) if (line !== "") console.log(line);
const warnings = lines.filter((line) => /\b(warning|error)\b/i.test(line));
console.log(`${warnings.length} warnings; open docs/index.html`);
Deno.exitCode = code === 0 && warnings.length === 0 ? 0 : 1;
