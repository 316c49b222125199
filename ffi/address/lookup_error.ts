import { libc } from "../libc/libc.ts";
import { asSocketError, systemError } from "../libc/socket_error.ts";
import { quote } from "../validate/quote.ts";

/** The words of gai_strerror(3) in lower case, with what they mean for a host where that is certain. */
const MEANINGS: Readonly<Record<string, string>> = {
  EAI_NONAME: "no such host",
  EAI_ADDRFAMILY: "the host has no address of this family",
  EAI_NODATA: "the host has no address of this family",
  EAI_AGAIN: "temporary failure in name resolution",
  EAI_FAIL: "non-recoverable failure in name resolution",
  EAI_MEMORY: "memory allocation failure",
  EAI_SYSTEM: "system error",
};

/** The error for a code of getaddrinfo(3), by its name. `words` are said in the place of the code's own. */
export function lookupError(
  hostname: string,
  code: string,
  words = MEANINGS[code] ?? "the name cannot be looked up",
): Error {
  const error = new Deno.errors.NotFound(`getaddrinfo ${quote(hostname)}: ${words} (${code})`);
  return asSocketError(error, { code, errno: 0, syscall: "getaddrinfo", timeout: false, address: hostname });
}

/** The error for what getaddrinfo(3) returned. Without a free descriptor it reads no file and asks no server, and its
 * codes then say nothing of the name. */
export function lookupFailure(hostname: string, number: number): Error {
  const { c, errno, system: { constants, errors, resolverErrors } } = libc();
  const fd = c.socket(constants.AF_INET, constants.SOCK_DGRAM | constants.SOCK_CLOEXEC, 0);
  const reason = fd === -1 ? errno() : 0;
  if (fd !== -1) c.close(fd);
  if (reason === errors.EMFILE || reason === errors.ENFILE) return systemError(reason, "getaddrinfo", quote(hostname));
  const code = Object.keys(resolverErrors).find((name) => resolverErrors[name] === number);
  return lookupError(hostname, code ?? `EAI ${number}`);
}
