/**
 * The C library's file, for tests that grant it alone.
 *
 * @module
 */
import { exists } from "./exists.ts";
import { thisSystem } from "../../ffi/libc/host.ts";

/** The first path of the running system's table where there is a file, or null. */
export const libraryPath: string | null = thisSystem().libraries.find((path) => path.startsWith("/") && exists(path)) ??
  null;

/** Why a test that needs it cannot run, or null. */
export const noLibraryPath: string | null = libraryPath === null ? "no C library at a path of the table" : null;

/** Flags for a program that is granted little: with them it reads what chooses the library of these tests, if anything
 * does. */
export const libraryFlags: readonly string[] = Deno.env.has("BERKELEY_LIBC")
  ? ["--allow-env=BERKELEY_SYSTEM,BERKELEY_LIBC"]
  : [];
