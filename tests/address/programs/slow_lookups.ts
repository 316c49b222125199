/**
 * Looks up many names at a name server that does not answer, and receives a datagram meanwhile. Prints whether it came
 * before any of them failed, and the codes they failed with.
 *
 * @module
 */
import { listenDatagram, resolveAddress } from "../../../mod.ts";
import { pause } from "../../support/promises.ts";

const names = [...Array.from({ length: 40 }, (_, index) => `n${index}.slow.test`), ...Array(40).fill("same.slow.test")];
let failed = 0;
const lookups = names.map((name) =>
  resolveAddress("ip4", name).then(() => "found", (error) => {
    failed++;
    return error.code;
  })
);
using receiver = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
const receiving = receiver.receive();
await pause(100);
await receiver.send(new Uint8Array(1), receiver.addr);
await receiving;
const first = failed === 0;
console.log(JSON.stringify({ first }));
await lookups.at(0);
Deno.exit();
