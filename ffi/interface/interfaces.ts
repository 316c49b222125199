import { requireInterfaces } from "../address/permissions.ts";
import { listInterfaces } from "./listing.ts";
import type { NetworkInterface } from "./network_interface.ts";

/** Returns every interface of this machine with its addresses: getifaddrs(3). It does not block.
 *
 * On Linux an address with a label ("eth0:1") is listed with its interface.
 *
 * @throws {Deno.errors.NotCapable} without `--allow-sys=networkInterfaces`
 * @throws {SocketError} EMFILE, ENFILE or ENOMEM
 *
 * @example
 * ```ts
 * import { interfaces } from "@berkeley/sockets";
 *
 * const loopback = interfaces().find((one) => one.loopback)!;
 * console.log(loopback.addresses[0]?.address); // 127.0.0.1
 * ```
 */
export function interfaces(): NetworkInterface[] {
  requireInterfaces();
  return listInterfaces();
}
