/**
 * Opens what this module opens on first use and keeps: the library and the poller. Loaded before the tests, because the
 * resource sanitizer and the count of descriptors would hold either against the first test that needs it.
 *
 * @module
 */
import { openLibrary } from "../../mod.ts";

openLibrary();
