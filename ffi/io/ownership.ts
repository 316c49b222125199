/** Descriptor numbers that an object of this thread will close. The kernel gives out a number again as soon as it is
 * closed, so two owners of one number would close each other's sockets. */
const owners = new Map<number, "socket" | "OwnedFd">();

/** Records who closes a number. */
export function claim(fd: number, owner: "socket" | "OwnedFd"): void {
  owners.set(fd, owner);
}

/** Forgets a number that is about to be closed or given away. */
export function release(fd: number): void {
  owners.delete(fd);
}

/** Who closes a number; undefined where the module does not. */
export function ownerOf(fd: number): "socket" | "OwnedFd" | undefined {
  return owners.get(fd);
}
