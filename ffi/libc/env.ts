/** Returns the value of an environment variable that overrides a choice of the module, such as BERKELEY_POLLER=poll, or
 * undefined. The variable is read only if that permission is already granted, so that no prompt appears. */
export function override(variable: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  return state === "granted" ? Deno.env.get(variable) : undefined;
}
