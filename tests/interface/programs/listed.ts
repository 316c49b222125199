/**
 * Lists the interfaces: prints their names and MTUs on a line.
 *
 * @module
 */
import { interfaces } from "../../../mod.ts";

console.log(interfaces().map(({ name, mtu }) => `${name} ${mtu}`).join(", "));
