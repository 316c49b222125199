import { noDescriptorLeaks } from "../support/descriptors.ts";
import { registerFailingCalls } from "./failing_calls.ts";

noDescriptorLeaks();

// More of them are in tests/soak/.
registerFailingCalls(8, 4);
