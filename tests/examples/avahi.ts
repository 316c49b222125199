/**
 * Avahi in a network namespace: its daemon and a D-Bus of their own, so that nothing of the machine's is touched.
 *
 * @module
 */
import type { Namespace } from "../support/namespaces.ts";
import type { Child, StartOptions } from "../support/process.ts";

const BUS = (path: string) =>
  `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=${path}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
  </policy>
</busconfig>
`;

const DAEMON = (host: string) =>
  `[server]
host-name=${host}
use-ipv4=yes
use-ipv6=yes
enable-dbus=yes
[publish]
publish-workstation=no
`;

/** A running daemon; `await using` ends it. */
export class Avahi implements AsyncDisposable {
  private constructor(
    private readonly namespace: Namespace,
    private readonly folder: string,
    private readonly children: readonly Child[],
  ) {}

  /** Starts the daemon under a host name, and waits until it serves. */
  static async start(namespace: Namespace, host: string): Promise<Avahi> {
    const folder = await Deno.makeTempDir({ prefix: "berkeley_avahi_" });
    const bus = `${folder}/bus`;
    await Deno.writeTextFile(`${folder}/bus.conf`, BUS(bus));
    await Deno.writeTextFile(`${folder}/avahi.conf`, DAEMON(host));
    const children: Child[] = [];
    const avahi = new Avahi(namespace, folder, children);
    try {
      children.push(namespace.start("dbus-daemon", [
        `--config-file=${folder}/bus.conf`,
        "--nofork",
        "--nopidfile",
        "--print-address",
      ]));
      await children[0]!.waitForLine(/^unix:/);
      // The path of its pid file is compiled in: `ip netns exec` has mounts of its own, so another may run elsewhere.
      const daemon = "mkdir -p /run/avahi-daemon && mount -t tmpfs none /run/avahi-daemon && exec avahi-daemon " +
        `--file=${folder}/avahi.conf --no-drop-root --no-chroot --no-rlimits --no-proc-title`;
      children.push(namespace.start("sh", ["-c", daemon], { env: avahi.#environment }));
      await children[1]!.waitForLine(/Server startup complete/, "stderr");
      return avahi;
    } catch (error) {
      await avahi[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Starts one of Avahi's programs. */
  run(command: string, ...args: string[]): Child {
    return this.namespace.start(command, args, { env: this.#environment } satisfies StartOptions);
  }

  get #environment(): Record<string, string> {
    return { DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${this.folder}/bus`, LC_ALL: "C.UTF-8" };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of [...this.children].reverse()) await child.end();
    await Deno.remove(this.folder, { recursive: true });
  }
}
