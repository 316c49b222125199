import { noDescriptorLeaks } from "../support/descriptors.ts";
import { registerFailingCalls } from "../udp/failing_calls.ts";

noDescriptorLeaks();

registerFailingCalls(110, 40);
