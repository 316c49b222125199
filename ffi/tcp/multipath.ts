import { libc } from "../libc/libc.ts";
import { isSocketError } from "../libc/socket_error.ts";
import { closeUnless, type Descriptor, openDescriptor } from "../io/descriptor.ts";

/** What a system without MPTCP says, one where it is switched off, and MPTCP itself of an option that it lacks. */
const WITHOUT_MULTIPATH = ["EINVAL", "ENOPROTOOPT", "EOPNOTSUPP", "EPROTONOSUPPORT"];

/** Opens a TCP socket and sets its options. With `multipath` it is one of MPTCP, RFC 8684, unless the system has none or
 * MPTCP refuses one of the options: then plain TCP. */
export function openTcp(v6: boolean, multipath: boolean, setOptions: (descriptor: Descriptor) => void): Descriptor {
  const { constants, network: { constants: { IPPROTO_MPTCP } } } = libc().system;
  const domain = v6 ? constants.AF_INET6 : constants.AF_INET;
  const open = (protocol: number) => {
    const descriptor = openDescriptor(domain, constants.SOCK_STREAM, protocol);
    return closeUnless(descriptor, () => {
      setOptions(descriptor);
      return descriptor;
    });
  };
  if (multipath && IPPROTO_MPTCP !== 0) {
    try {
      return open(IPPROTO_MPTCP);
    } catch (error) {
      // An option that plain TCP refuses too fails again below.
      if (!isSocketError(error) || !WITHOUT_MULTIPATH.includes(error.code)) throw error;
    }
  }
  return open(0);
}
