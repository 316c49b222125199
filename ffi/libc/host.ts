import { override } from "./env.ts";
import { freebsd } from "./freebsd.ts";
import { linux_aarch64, linux_x86_64 } from "./linux.ts";
import { macos_aarch64, macos_x86_64 } from "./macos.ts";
import type { System } from "./system.ts";

/** The tables by `Deno.build.os` and `Deno.build.arch`. */
const BY_BUILD: Readonly<Record<string, System>> = {
  "linux x86_64": linux_x86_64,
  "linux aarch64": linux_aarch64,
  "darwin x86_64": macos_x86_64,
  "darwin aarch64": macos_aarch64,
  "freebsd x86_64": freebsd,
  "freebsd aarch64": freebsd,
};

/** Returns the table for an operating system and an architecture, both spelled as in `Deno.build`. Throws
 * Deno.errors.NotSupported for any other. */
export function systemFor(os: string, arch: string): System {
  const build = `${os} ${arch}`;
  const system = Object.hasOwn(BY_BUILD, build) ? BY_BUILD[build] : undefined;
  if (system !== undefined) return system;
  throw new Deno.errors.NotSupported(
    `Berkeley runs on Linux, macOS and FreeBSD, on x86_64 and aarch64; this is ${build}`,
  );
}

/** The tables by the values of BERKELEY_SYSTEM. */
const BY_NAME: Readonly<Record<string, System>> = {
  linux_x86_64,
  linux_aarch64,
  macos_x86_64,
  macos_aarch64,
  freebsd,
};

/** For tests: BERKELEY_SYSTEM names the table of another system, and BERKELEY_LIBC is the path of a library with its
 * functions. */
function overridden(): System {
  const name = override("BERKELEY_SYSTEM");
  const library = override("BERKELEY_LIBC");
  const system = name === undefined ? systemFor(Deno.build.os, Deno.build.arch) : systemNamed(name);
  return library === undefined ? system : { ...system, libraries: [library] };
}

function systemNamed(name: string): System {
  const system = Object.hasOwn(BY_NAME, name) ? BY_NAME[name] : undefined;
  if (system !== undefined) return system;
  throw new TypeError(`Invalid BERKELEY_SYSTEM: "${name}", expected one of ${Object.keys(BY_NAME).join(", ")}`);
}

let picked: System | undefined;

/** Returns the table of the running system. Throws Deno.errors.NotSupported on an unsupported one. */
export function thisSystem(): System {
  return picked ??= overridden();
}
