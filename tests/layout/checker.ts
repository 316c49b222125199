/** Compares a system's table with the headers of a C compiler: a small program prints what every number is in C.
 *
 * Run by itself it reports on the running system: `deno run -A tests/layout/checker.ts`. */

import type { System } from "../../ffi/libc/system.ts";
import { thisSystem } from "../../ffi/libc/host.ts";
import { type Probe, probes } from "./probes.ts";

/** How to make a program and how to run it. */
export interface Toolchain {
  /** Command and arguments. */
  readonly compiler: readonly string[];
  /** What comes before the program's own path, for a program of another architecture. */
  readonly runner: readonly string[];
}

/** What the headers say of a table. */
export interface Report {
  /** How many numbers the headers had and the table too. */
  readonly compared: number;
  /** Where they differ, in sentences. */
  readonly mismatches: readonly string[];
  /** In the table, but not in these headers. */
  readonly absent: readonly string[];
  /** In the headers, but the table says that the system has none. */
  readonly leftOut: readonly string[];
}

const HEADERS = `
#define _GNU_SOURCE
#define __APPLE_USE_RFC_3542
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>
#ifdef __linux__
// Newer than glibc's own, which cannot be included beside them.
#include <linux/errqueue.h>
#include <linux/filter.h>
#include <linux/in.h>
#include <linux/net_tstamp.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netpacket/packet.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#else
#include <net/if_dl.h>
#include <net/if_var.h>
#include <net/route.h>
#include <sys/ioctl.h>
#include <netinet/tcp.h>
#include <sys/event.h>
#endif
`;

/** A C program that prints the position of every probe whose name the headers know, and its value. */
export function program(rows: readonly Probe[]): string {
  const lines = rows.map(({ expression, macro }, index) => {
    const print = `  printf("${index} %lld\\n", (long long)(${expression}));`;
    return macro === null ? print : `#ifdef ${macro}\n${print}\n#endif`;
  });
  return `${HEADERS}\nint main(void) {\n${lines.join("\n")}\n  return 0;\n}\n`;
}

/** Compiles the program, runs it and compares. Throws where either step fails. */
export async function check(system: System, { compiler, runner }: Toolchain): Promise<Report> {
  const rows = probes(system);
  const folder = await Deno.makeTempDir({ prefix: "berkeley_layout_" });
  try {
    const source = `${folder}/probe.c`;
    const binary = `${folder}/probe`;
    await Deno.writeTextFile(source, program(rows));
    await run([...compiler, "-o", binary, source]);
    return compare(rows, await run([...runner, binary]));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function compare(rows: readonly Probe[], output: string): Report {
  const found = new Map(output.trim().split("\n").map((line) => line.split(" ").map(Number) as [number, number]));
  const report = { compared: 0, mismatches: [] as string[], absent: [] as string[], leftOut: [] as string[] };
  for (const [index, { name, expected }] of rows.entries()) {
    const actual = found.get(index);
    if (expected === null) {
      if (actual !== undefined && actual !== 0) report.leftOut.push(`${name} ${actual}`);
    } else if (actual === undefined) {
      report.absent.push(name);
    } else {
      report.compared++;
      if (actual !== expected) report.mismatches.push(`${name}: the table has ${expected}, the headers have ${actual}`);
    }
  }
  return report;
}

/** The compiler for the running system, $CC or cc; a sentence where there is none, or one for other processors. */
export async function nativeToolchain(): Promise<Toolchain | string> {
  const compiler = (Deno.env.get("CC")?.trim() || "cc").split(/\s+/);
  if (!await answers(compiler)) return `no C compiler answers to "${compiler.join(" ")}"`;
  const machine = (await run([...compiler, "-dumpmachine"])).trim();
  const names = { x86_64: "x86_64", aarch64: "(aarch64|arm64)" };
  if (new RegExp(`^${names[Deno.build.arch]}-`).test(machine)) return { compiler, runner: [] };
  return `${compiler.join(" ")} is for ${machine}`;
}

/** A cross compiler for Linux on aarch64 and the emulator to run its programs; a sentence where either is missing. */
export async function aarch64Toolchain(): Promise<Toolchain | string> {
  const compiler = "aarch64-linux-gnu-gcc";
  if (!await answers([compiler])) return `no "${compiler}"`;
  for (const emulator of ["qemu-aarch64", "qemu-aarch64-static"]) {
    // Linked statically, since the emulator would look for the other architecture's loader among this machine's own.
    if (await answers([emulator])) return { compiler: [compiler, "-static"], runner: [emulator] };
  }
  return `no "qemu-aarch64"`;
}

async function answers(command: readonly string[]): Promise<boolean> {
  try {
    await run([...command, "--version"]);
    return true;
  } catch {
    return false;
  }
}

async function run([command, ...args]: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command!, { args, env: { LC_ALL: "C" } }).output();
  if (!success) throw new Error(`${command} ${args.join(" ")} failed:\n${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/** A report in sentences. */
export function describeReport(system: System, { compared, mismatches, absent, leftOut }: Report): string {
  const lines = [`${system.name}: ${compared} numbers compared, ${mismatches.length} differ`, ...mismatches];
  if (absent.length > 0) lines.push(`${absent.length} not in these headers: ${absent.join(", ")}`);
  if (leftOut.length > 0) lines.push(`${leftOut.length} in these headers only: ${leftOut.join(", ")}`);
  return lines.join("\n");
}

if (import.meta.main) {
  const toolchain = await nativeToolchain();
  if (typeof toolchain === "string") {
    console.error(toolchain);
    Deno.exit(2);
  }
  const report = await check(thisSystem(), toolchain);
  console.log(describeReport(thisSystem(), report));
  Deno.exit(report.mismatches.length > 0 ? 1 : 0);
}
