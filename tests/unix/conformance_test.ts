import { describe } from "@std/testing/bdd";
import { socketPair } from "../../mod.ts";
import { describeStream } from "../conformance/stream.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { itUnless } from "../support/skipping.ts";
import { abstractName, connectedPair, Directory, noAbstractNames, pairOf } from "./support.ts";

noDescriptorLeaks();

describeStream("A Unix stream at a path", async () => {
  using directory = new Directory();
  return await connectedPair("unix", directory.file());
});

if (noAbstractNames === null) {
  describeStream("A Unix stream at an abstract name", () => connectedPair("unix", abstractName()));
} else {
  describe("A Unix stream at an abstract name", () => itUnless(noAbstractNames, "carries bytes", () => {}));
}

describeStream('socketPair("stream")', () => Promise.resolve(pairOf(...socketPair("stream"))));
