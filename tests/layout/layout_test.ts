import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { linux_aarch64 } from "../../ffi/libc/linux.ts";
import type { System } from "../../ffi/libc/system.ts";
import { thisSystem } from "../../ffi/libc/host.ts";
import { aarch64Toolchain, check, describeReport, nativeToolchain, type Toolchain } from "./checker.ts";

/** A test that wants a toolchain; without one it is ignored, and its name says why. */
function withToolchain(name: string, toolchain: Toolchain | string, body: (toolchain: Toolchain) => Promise<void>) {
  if (typeof toolchain === "string") it.skip(`${name} (${toolchain})`, () => {});
  else it(name, () => body(toolchain));
}

async function assertAgrees(system: System, toolchain: Toolchain): Promise<void> {
  const report = await check(system, toolchain);
  console.log(describeReport(system, report));
  assertEquals(report.mismatches, []);
  assertEquals(report.leftOut, []);
}

const native = await nativeToolchain();
const aarch64 = await aarch64Toolchain();

describe("the table of a system", () => {
  withToolchain(
    "has the numbers, sizes and offsets of this system's headers",
    native,
    (toolchain) => assertAgrees(thisSystem(), toolchain),
  );

  withToolchain(
    "has the numbers, sizes and offsets of Linux's headers for aarch64",
    aarch64,
    (toolchain) => assertAgrees(linux_aarch64, toolchain),
  );
});

describe("the layout checker", () => {
  withToolchain("names every number that is wrong, and says both", native, async (toolchain) => {
    const system = thisSystem();
    const { constants, options, layout, errors } = system;
    const { mismatches } = await check({
      ...system,
      constants: { ...constants, AF_INET: 3 },
      options: { ...options, TCP_NODELAY: { level: 7, name: 2, encoding: "boolean" } },
      layout: { ...layout, msghdr: { ...layout.msghdr, flags: 1 }, cmsghdr: { ...layout.cmsghdr, align: 16 } },
      errors: { ...errors, EPERM: 2 },
    }, toolchain);
    assertEquals(mismatches, [
      "AF_INET: the table has 3, the headers have 2",
      "TCP_NODELAY: the table has 2, the headers have 1",
      "TCP_NODELAY level: the table has 7, the headers have 6",
      `msghdr.flags: the table has 1, the headers have ${layout.msghdr.flags}`,
      `cmsghdr.align: the table has 16, the headers have ${layout.cmsghdr.align}`,
      "EPERM: the table has 2, the headers have 1",
    ]);
  });

  withToolchain("lists what only the table has, and what only the headers have", native, async (toolchain) => {
    const system = thisSystem();
    const report = await check({
      ...system,
      constants: { ...system.constants, F_GETFL: 0 },
      options: { ...system.options, SO_KEEPALIVE: null },
      errors: { ...system.errors, ENOSUCHERROR: 999 },
    }, toolchain);
    assertEquals(report.mismatches, []);
    assertEquals(report.absent.filter((name) => name === "ENOSUCHERROR"), ["ENOSUCHERROR"]);
    assertEquals(report.leftOut, [
      `F_GETFL ${system.constants.F_GETFL}`,
      `SO_KEEPALIVE ${system.options.SO_KEEPALIVE?.name}`,
    ]);
  });
});
