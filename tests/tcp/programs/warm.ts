/**
 * Opens what a process opens once and keeps, so that it does not come between two counts of descriptors: the library, the poller,
 * and a pair of Unix sockets that Deno makes at the first need of a signal.
 *
 * @module
 */
import "../../support/warm_up.ts";

const listener = () => {};
Deno.addSignalListener("SIGUSR2", listener);
Deno.removeSignalListener("SIGUSR2", listener);
