import { describe } from "@std/testing/bdd";
import { registerDecoders } from "./decoders.ts";

describe("Decoders", () => registerDecoders(1, 2000));
