import { noDescriptorLeaks } from "../support/descriptors.ts";
import { registerEdges, registerPaths, registerSizes } from "./every_path.ts";

noDescriptorLeaks();

// A million, and every size, are in tests/soak/.
registerPaths(12);
registerSizes(13);
registerEdges();
