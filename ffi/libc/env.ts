/** What a test asks for by an environment variable, such as BERKELEY_POLLER=poll. It is read only where reading it is
 * granted already. */
export function override(variable: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  return state === "granted" ? Deno.env.get(variable) : undefined;
}
