import { noDescriptorLeaks } from "../support/descriptors.ts";
import { PATHS, registerPaths, registerSizes } from "../udp/every_path.ts";
import { WINDOW } from "../udp/traffic.ts";

noDescriptorLeaks();

registerPaths(Math.ceil(1_000_000 / (PATHS * WINDOW)));
registerSizes(1);
