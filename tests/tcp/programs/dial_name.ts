/**
 * Dials a name and prints as JSON what came of it. Arguments: name, port, and words for options.
 *
 * @module
 */
import { connect, isSocketError, type TcpConn, type TcpConnectOptions } from "../../../mod.ts";
import { resolveHost } from "../../../ffi/address/resolve.ts";
import { formatHost } from "../../../ffi/address/address.ts";
import { descriptorCount } from "../../support/descriptors.ts";
import "./warm.ts";

const [hostname, port, words = ""] = Deno.args as [string, string, string?];
const dialled: string[] = [];
const options: TcpConnectOptions = {
  hostname,
  port: Number(port),
  control: (_socket, _network, address) => void dialled.push("hostname" in address ? address.hostname : ""),
};
for (const word of words.split(" ")) {
  const [name, value = ""] = word.split("=");
  if (name === "delay") options.autoSelectFamilyAttemptDelay = Number(value);
  if (name === "sequential") options.autoSelectFamily = false;
  if (name === "local") {
    const [hostname, port = "0"] = value.split(":") as [string, string?];
    options.localAddress = { hostname, port: Number(port) };
  }
}

const addresses = (await resolveHost(hostname, Number(port))).map(formatHost);
const before = descriptorCount();
const deadline = words.match(/deadline=(\d+)/)?.[1];
if (deadline !== undefined) options.deadline = new Date(Date.now() + Number(deadline));
const outcome: TcpConn | Error = await connect(options).catch((error) => error);
if (!(outcome instanceof Error)) outcome.close();
console.log(JSON.stringify({
  addresses,
  dialled,
  outcome: outcome instanceof Error ? outcome.name : outcome.remoteAddr.hostname,
  code: isSocketError(outcome) ? outcome.code : undefined,
  descriptorsLeft: descriptorCount() - before,
}));
