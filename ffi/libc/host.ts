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

let picked: System | undefined;

/** Returns the table of the running system. Throws Deno.errors.NotSupported on an unsupported one. */
export function thisSystem(): System {
  return picked ??= systemFor(Deno.build.os, Deno.build.arch);
}
