import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { isSocketError, type UdpSocket } from "../../mod.ts";
import { bytes } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { at, LOOPBACK } from "../support/loopback.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { openMember, openSender, receiveText, receiveUntilMarker } from "./support.ts";

noDescriptorLeaks();

const GROUP = "239.255.13.1";
/** Two addresses of loopback, to send from. */
const LEFT = "127.0.0.1";
const RIGHT = "127.0.0.2";
const ON_LOOPBACK = { interface: LOOPBACK };

/** The port of a member, and a sender at either address. */
class Sides implements Disposable {
  readonly #left = openSender({ hostname: LEFT });
  readonly #right = openSender({ hostname: RIGHT });
  readonly #member: UdpSocket;

  constructor(member: UdpSocket) {
    this.#member = member;
  }

  /** Returns what the member receives after both sides have sent to the group, up to a marker sent to it alone. */
  async received(): Promise<string[]> {
    const { port } = this.#member.addr;
    await this.#left.send(bytes("left"), at(GROUP, port));
    await this.#right.send(bytes("right"), at(GROUP, port));
    await this.#right.send(bytes("marker"), at(LOOPBACK, port));
    return await receiveUntilMarker(this.#member);
  }

  [Symbol.dispose](): void {
    this.#left.close();
    this.#right.close();
  }
}

describe("A source-specific membership", TIMEOUT, () => {
  it("receives from its source only", async () => {
    using member = openMember();
    using sides = new Sides(member);
    member.joinMulticast(GROUP, { ...ON_LOOPBACK, source: LEFT });
    assertEquals(await sides.received(), ["left"]);
  });

  it("is independent of another of the same group", async () => {
    using member = openMember();
    using sides = new Sides(member);
    using left = member.joinMulticast(GROUP, { ...ON_LOOPBACK, source: LEFT });
    using _right = member.joinMulticast(GROUP, { ...ON_LOOPBACK, source: RIGHT });
    assertEquals(await sides.received(), ["left", "right"]);
    await left.leave();
    assertEquals(await sides.received(), ["right"]);
  });

  it("cannot be changed to any source", () => {
    using member = openMember();
    member.joinMulticast(GROUP, { ...ON_LOOPBACK, source: LEFT });
    assertThrows(() => member.joinMulticast(GROUP, ON_LOOPBACK), Deno.errors.AddrInUse, `join ${GROUP}`);
  });

  it("of a source that it already has is AddrNotAvailable", () => {
    using member = openMember();
    member.joinMulticast(GROUP, { ...ON_LOOPBACK, source: LEFT });
    const error = assertThrows(
      () => member.joinMulticast(GROUP, { ...ON_LOOPBACK, source: LEFT }),
      Deno.errors.AddrNotAvailable,
      `join ${GROUP} from ${LEFT}`,
    );
    assert(isSocketError(error) && error.code === "EADDRNOTAVAIL" && error.syscall === "setsockopt");
  });

  it("refuses to block or unblock a source", () => {
    using member = openMember();
    using membership = member.joinMulticast(GROUP, { ...ON_LOOPBACK, source: LEFT });
    assertThrows(() => membership.blockSource(RIGHT), TypeError, "Cannot block a source");
    assertThrows(() => membership.unblockSource(RIGHT), TypeError, "Cannot unblock a source");
  });
});

describe("An any-source membership", TIMEOUT, () => {
  it("receives nothing from a blocked sender until it is unblocked", async () => {
    using member = openMember();
    using sides = new Sides(member);
    using membership = member.joinMulticast(GROUP, ON_LOOPBACK);
    assertEquals(await sides.received(), ["left", "right"]);
    membership.blockSource(LEFT);
    assertEquals(await sides.received(), ["right"]);
    membership.blockSource(RIGHT);
    assertEquals(await sides.received(), []);
    membership.unblockSource(LEFT);
    assertEquals(await sides.received(), ["left"]);
  });

  it("forgets blocked senders when it is left", async () => {
    using member = openMember();
    using sides = new Sides(member);
    const first = member.joinMulticast(GROUP, ON_LOOPBACK);
    first.blockSource(LEFT);
    await first.leave();
    using _second = member.joinMulticast(GROUP, ON_LOOPBACK);
    assertEquals(await sides.received(), ["left", "right"]);
  });

  it("reports a sender that is not blocked, or already blocked", () => {
    using member = openMember();
    using membership = member.joinMulticast(GROUP, ON_LOOPBACK);
    assertThrows(() => membership.unblockSource(LEFT), Deno.errors.AddrNotAvailable, `unblock ${GROUP} from ${LEFT}`);
    membership.blockSource(LEFT);
    assertThrows(() => membership.blockSource(LEFT), Deno.errors.AddrNotAvailable, `block ${GROUP} from ${LEFT}`);
  });

  it("filters for its own socket only", async () => {
    using member = openMember();
    using sides = new Sides(member);
    using filtering = openMember({ port: member.addr.port, hostname: GROUP });
    using blocking = filtering.joinMulticast(GROUP, ON_LOOPBACK);
    member.joinMulticast(GROUP, ON_LOOPBACK);
    blocking.blockSource(LEFT);
    assertEquals(await sides.received(), ["left", "right"]);
    assertEquals(await receiveText(filtering), "right");
  });
});
