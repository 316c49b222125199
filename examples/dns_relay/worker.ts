/**
 * A Worker of dns_relay.ts: takes over a UDP socket and serves.
 *
 * @module
 */
/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
import { fromFd, type UdpSocket } from "../../mod.ts";
import { run, type Settings } from "./relay.ts";

/** What a Worker is given. A descriptor's number is valid in every Worker, since descriptors belong to the process. */
export interface Job {
  fd: number;
  settings: Settings;
}

self.onmessage = ({ data: { fd, settings } }: MessageEvent<Job>) => {
  run(fromFd(fd) as UdpSocket, settings);
};
