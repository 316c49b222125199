import { describeStream } from "../conformance/stream.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { LOOPBACK, withoutIPv6 } from "../support/loopback.ts";
import { connectedPair } from "./support.ts";
import { it } from "@std/testing/bdd";

noDescriptorLeaks();

const reason = withoutIPv6();

describeStream("TCP over IPv4", () => connectedPair(LOOPBACK));
if (reason === null) describeStream("TCP over IPv6", () => connectedPair("::1"));
else it.skip(`TCP over IPv6 (${reason})`, () => {});
