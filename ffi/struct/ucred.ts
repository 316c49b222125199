/** struct ucred, the credentials of a process: unix(7), SO_PEERCRED and SCM_CREDENTIALS. */

import type { Layout } from "../libc/system.ts";
import { structView } from "./view.ts";

/** The part of a system's layout that credentials depend on. */
export type UcredLayout = Pick<Layout, "ucred">;

/** The members of a struct ucred. */
export type Credentials = {
  pid: number;
  uid: number;
  gid: number;
};

/** Decodes a struct ucred. */
export function decodeCredentials(layout: UcredLayout, bytes: Uint8Array): Credentials {
  const { size, pid, uid, gid } = structLayout(layout);
  const view = structView("struct ucred", bytes, size);
  return { pid: view.getInt32(pid, true), uid: view.getUint32(uid, true), gid: view.getUint32(gid, true) };
}

function structLayout(layout: UcredLayout): NonNullable<Layout["ucred"]> {
  if (layout.ucred === null) throw new Deno.errors.NotSupported("This system has no struct ucred");
  return layout.ucred;
}
