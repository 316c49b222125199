import { libc } from "./libc/libc.ts";
import { reactor } from "./poll/reactor.ts";

/** Opens at once what the module otherwise opens on first use and keeps until the thread ends: each function of the C
 * library, and the descriptors that the module waits with. Further calls do nothing. It takes some 15 ms, and blocks the
 * event loop meanwhile.
 *
 * Two kinds of programs need it. Tests with `sanitizeResources` would report the library as a leak of the first test that
 * uses a socket: call it at the top of the test file. And a program that gives up `--allow-ffi`
 * (`Deno.permissions.revoke`) has to open all it may need before.
 *
 * @throws {Deno.errors.NotCapable} without `--allow-ffi`
 * @throws {Deno.errors.NotSupported} on a system that is not supported
 *
 * @example
 * ```ts
 * import { connect, listen, openLibrary } from "@berkeley/sockets";
 *
 * openLibrary();
 * Deno.test({
 *   name: "a client reaches the server",
 *   sanitizeResources: true,
 *   async fn() {
 *     using listener = listen({ hostname: "127.0.0.1", port: 0 });
 *     using _client = await connect({ port: listener.addr.port });
 *   },
 * });
 * ```
 */
export function openLibrary(): void {
  libc().bindAll();
  reactor();
}
