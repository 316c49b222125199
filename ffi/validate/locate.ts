/** Puts the place that an error is about before its message, such as "datagrams[3]". */
export function located(place: string, error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const message = `${place}: ${error.message}`;
  // The stack begins with the message as it was.
  error.stack = error.stack?.replace(error.message, () => message) ?? "";
  error.message = message;
  return error;
}
