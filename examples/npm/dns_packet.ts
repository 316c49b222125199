/**
 * The npm package dns-packet, which reads and writes DNS messages.
 *
 * @module
 */
// @ts-types="./dns_packet.d.ts"
export * from "npm:dns-packet@5.6.1";
