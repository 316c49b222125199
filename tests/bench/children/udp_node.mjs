/** A UDP subject with node:dgram, in Node or in Deno: `udp_node.mjs receive|send|round_trip [PORT]`. One JSON line of results. */

import { createSocket } from "node:dgram";
import process from "node:process";

const WARM_UP = 400;
const WINDOW = 1000;
const STRIDE = 64;

const [mode, port] = process.argv.slice(2);
const socket = createSocket("udp4");
const datagram = new Uint8Array(64);
let received = () => {};

/** Calls `done` as often as something happens, and says how often a second. */
function counter(finish) {
  const start = performance.now();
  let counting = false;
  let from = 0;
  let before;
  let count = 0;
  return () => {
    if (++count % STRIDE !== 0) return;
    const now = performance.now();
    if (!counting && now > start + WARM_UP) {
      counting = true;
      count = 0;
      from = now;
      before = process.cpuUsage();
    } else if (counting && now > from + WINDOW) {
      const { user, system } = process.cpuUsage(before);
      finish({ rate: count / (now - from) * 1000, processor: (user + system) / count, count });
    }
  };
}

function report(value) {
  console.log(JSON.stringify(value));
}

function end(value) {
  report(value);
  process.exit(0);
}

function receive() {
  report({ port: socket.address().port });
  received = counter(end);
}

function send() {
  const sent = counter(end);
  const next = () => {
    sent();
    socket.send(datagram, Number(port), "127.0.0.1", next);
  };
  next();
}

function roundTrip() {
  const times = [];
  let start = 0;
  const arrived = counter(({ count, processor }) => {
    const sorted = Float64Array.from(times.slice(-count)).sort();
    end({ median: sorted[count >> 1], p99: sorted[Math.floor(count * 0.99)], processor });
  });
  const next = () => {
    start = performance.now();
    socket.send(datagram, Number(port), "127.0.0.1");
  };
  received = () => {
    times.push((performance.now() - start) * 1000);
    arrived();
    next();
  };
  next();
}

socket.on("message", () => received());
socket.bind(0, "127.0.0.1", { receive, send, round_trip: roundTrip }[mode]);
