import { assert } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { knock, noNetworkOfItsOwn } from "./running.ts";

describe("Every public function and method", TIMEOUT, () => {
  itUnless(
    noNetworkOfItsOwn,
    "refuses odd values in words of its own, ends, and leaves no descriptor open",
    async () => {
      const { doors, values, calls } = await knock(1, 0.2);
      assert(doors > 135 && values > 46 && calls > 5000, `${doors} doors, ${values} values, ${calls} calls`);
    },
  );
});
