/**
 * Sends a file over a connection to itself, whole and in part, and tells what arrived: a JSON object on standard output,
 * or the name of the error. The path is on the command line, and then numbers: offset, length.
 *
 * @module
 */
import { connect, listen } from "../../../mod.ts";

const [path, offset, length] = Deno.args;
using listener = listen({ hostname: "127.0.0.1", port: 0 });
using sender = await connect({ port: listener.addr.port });
using receiver = await listener.accept();
const options = {
  ...(offset === undefined ? {} : { offset: Number(offset) }),
  ...(length === undefined ? {} : { length: Number(length) }),
};

async function receive(): Promise<{ received: number; sum: number }> {
  let received = 0;
  let sum = 0;
  for (const p = new Uint8Array(65_536);;) {
    const count = await receiver.read(p);
    if (count === null) return { received, sum };
    received += count;
    for (let index = 0; index < count; index++) sum = (sum * 31 + p[index]!) % 1_000_003;
  }
}

try {
  const sending = sender.sendFile(path!, options).finally(() => sender.closeWrite());
  const [sent, rest] = await Promise.all([sending, receive()]);
  console.log(JSON.stringify({ sent, ...rest }));
} catch (error) {
  const { name, message } = error as Error;
  console.log(JSON.stringify({ name, message }));
}
