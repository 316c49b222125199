/**
 * A Worker of http_reuse_port.ts: serves HTTP on a listening descriptor and answers with its own name.
 *
 * @module
 */
/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
import { createServer } from "node:http";

self.onmessage = ({ data: { fd, name } }: MessageEvent<{ fd: number; name: string }>) => {
  const server = createServer((_request, response) => response.end(`${name}\n`));
  server.listen({ fd }, () => self.postMessage("listening"));
};
