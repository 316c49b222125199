/**
 * Passes more descriptors than a user who is not root may have on their way, takes them, and passes one more: tells what the first failed with.
 *
 * @module
 */
import { isSocketError, listenDatagram, socketPair } from "../../../mod.ts";

const RLIMIT_NOFILE = 7;
const NOBODY = 65_534;

const { symbols } = Deno.dlopen("libc.so.6", {
  setrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  setuid: { parameters: ["u32"], result: "i32" },
});

const [one, two] = socketPair("stream");
const udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
symbols.setrlimit(RLIMIT_NOFILE, new BigUint64Array([64n, 64n]));
if (Deno.uid() === 0) symbols.setuid(NOBODY);

let sent = 0;
let code: string | undefined;
while (code === undefined) {
  try {
    await one.sendMessage({ data: new Uint8Array(1), fds: Array(20).fill(udp) });
    sent++;
  } catch (error) {
    if (!isSocketError(error)) throw error;
    code = error.code;
  }
}

for (; sent > 0; sent--) {
  for (const fd of (await two.receiveMessage({ maxFds: 20 }))!.fds) fd.close();
}
await one.sendMessage({ data: new Uint8Array(1), fds: [udp] });
const recovered = (await two.receiveMessage())!.fds.length === 1;
console.log(JSON.stringify({ code, recovered }));
