/** A UDP subject with Bun.udpSocket: `udp_bun.mjs receive|send|send_many [PORT]`. One JSON line of results. */

/* global Bun */
import process from "node:process";

const WARM_UP = 400;
const WINDOW = 1000;
const STRIDE = 64;

const [mode, port] = process.argv.slice(2);
const datagram = new Uint8Array(64);
let received = () => {};

const socket = await Bun.udpSocket({ hostname: "127.0.0.1", socket: { data: () => received() } });

function report(value) {
  console.log(JSON.stringify(value));
}

/** Is told how many there were, and after a window says how often a second, and ends. */
function counter() {
  const start = performance.now();
  let from = 0;
  let before;
  let count = 0;
  return (more) => {
    count += more;
    const now = performance.now();
    if (from === 0 && now > start + WARM_UP) {
      from = now;
      count = 0;
      before = process.cpuUsage();
    } else if (from !== 0 && now > from + WINDOW) {
      const { user, system } = process.cpuUsage(before);
      report({ rate: count / (now - from) * 1000, processor: (user + system) / count });
      process.exit(0);
    }
  };
}

const done = counter();

function receive() {
  let strideLeft = STRIDE;
  received = () => {
    if (--strideLeft > 0) return;
    done(STRIDE);
    strideLeft = STRIDE;
  };
  report({ port: socket.port });
}

/** Bun's send is synchronous: true where the kernel took it. The loop gives the rest of Bun a turn now and then. */
function send() {
  let sent = 0;
  for (let left = STRIDE; left > 0; left--) if (socket.send(datagram, Number(port), "127.0.0.1")) sent++;
  done(sent);
  setImmediate(send);
}

const packets = Array.from({ length: STRIDE }, () => [datagram, Number(port), "127.0.0.1"]).flat();

function sendMany() {
  done(socket.sendMany(packets));
  setImmediate(sendMany);
}

({ receive, send, send_many: sendMany })[mode]();
