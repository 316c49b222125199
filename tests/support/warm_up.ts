/**
 * Opens what this module opens on first use and keeps: the library and the poller. Loaded before the tests, because the
 * resource sanitizer and the count of descriptors would hold either against the first test that needs it.
 *
 * @module
 */
import { listenDatagram } from "../../mod.ts";

const stop = new AbortController();
using socket = listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
const received = socket.receive(undefined, { signal: stop.signal });
stop.abort();
await Promise.allSettled([received]);
