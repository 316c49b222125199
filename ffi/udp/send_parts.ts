import { libc } from "../libc/libc.ts";
import { systemError } from "../libc/socket_error.ts";
import type { Descriptor } from "../io/descriptor.ts";
import { sendParts } from "../io/gather.ts";
import { AGAIN, type Again, Operation } from "../io/operation.ts";
import type { Destination } from "./destinations.ts";
import { unlessReported } from "./reports.ts";
import { failedSend, type SendControl } from "./send.ts";

/** Sends one datagram of several buffers, to a destination or to the connected peer. */
export class SendingParts extends Operation<number> {
  readonly syscall = "sendmsg";
  readonly #descriptor: Descriptor;
  readonly #parts: readonly Uint8Array[];
  readonly #to: Destination | null;
  readonly #control: SendControl | null;

  constructor(
    descriptor: Descriptor,
    parts: readonly Uint8Array[],
    to: Destination | null,
    control: SendControl | null,
  ) {
    super();
    this.#descriptor = descriptor;
    this.#parts = parts;
    this.#to = to;
    this.#control = control;
  }

  override get address(): string | undefined {
    return this.#to?.text;
  }

  override attempt(): number | Again {
    if (this.#descriptor.takeReports === null) return this.#send();
    return unlessReported(this.#descriptor, () => this.#send());
  }

  #send(): number | Again {
    const to = this.#to;
    const control = this.#control;
    const sent = sendParts(this.#descriptor.fd, this.#parts, { destination: to?.sockaddr, control: control?.bytes });
    if (sent >= 0) return sent;
    if (-sent === libc().system.errors.EAGAIN) return AGAIN;
    const error = systemError(-sent, this.syscall, to?.text);
    throw failedSend(this.#descriptor, error, to, control?.source ?? null);
  }
}
