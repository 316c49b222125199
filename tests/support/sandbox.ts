/**
 * A program that refuses system calls to the one it starts: seccomp(2), as sandboxes do.
 *
 * @module
 */
import { noOwnCalls } from "./kernel.ts";
import { missingCommands } from "./skipping.ts";
import { run } from "./process.ts";

/** Why none can be built here, or null. */
export const noSandbox: string | null = Deno.build.os === "linux"
  ? await missingCommands("gcc") ?? noOwnCalls
  : "seccomp(2) is Linux's";

/** The program's file; `await using` removes it. */
export class Sandbox implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Builds one that refuses these calls, and sockets of AF_NETLINK, with an error of <errno.h>. */
  static async build(calls: readonly string[], error: string): Promise<Sandbox> {
    const sandbox = new Sandbox(await Deno.makeTempDir());
    const input = `${sandbox.#folder}/sandbox.c`;
    await Deno.writeTextFile(input, source(calls, error));
    const { success, report } = await run("gcc", ["-O1", "-Wall", "-o", sandbox.path, input]);
    if (success) return sandbox;
    await sandbox[Symbol.asyncDispose]();
    throw new Error(report);
  }

  /** The program. Its arguments are another program and that one's arguments. */
  get path(): string {
    return `${this.#folder}/sandbox`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}

function source(calls: readonly string[], error: string): string {
  return `
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define REFUSE BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ${error})
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define UNLESS(value, skipped) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skipped)

int main(int count, char **words) {
  struct sock_filter filter[] = {
    LOAD(nr),
    ${calls.map((call) => `UNLESS(SYS_${call}, 1), REFUSE,`).join("\n    ")}
    UNLESS(SYS_socket, 3), LOAD(args[0]), UNLESS(AF_NETLINK, 1), REFUSE,
    ALLOW,
  };
  struct sock_fprog program = { sizeof filter / sizeof *filter, filter };
  if (count < 2 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
    perror("seccomp");
    return 125;
  }
  execvp(words[1], words + 1);
  perror(words[1]);
  return 126;
}
`;
}
