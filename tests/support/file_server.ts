/**
 * The repository on a web server of the test's own, for programs that are run from a URL or import from one.
 *
 * @module
 */
import { ROOT } from "./repository.ts";

/** What another host would serve: the module, and the examples. */
const PUBLISHED = /^\/(mod\.ts|ffi\/[\w/]+\.ts|examples\/[\w/]+\.(ts|html))$/;

const PAGE = "text/html; charset=utf-8";

/** A running server. */
export class FileServer implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  /** The paths that were requested. */
  readonly requested: Set<string> = new Set();

  /** Serves modules with this media type, and none where it is null. */
  constructor(mediaType: string | null = "application/typescript") {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
      const { pathname } = new URL(request.url);
      this.requested.add(pathname);
      if (!PUBLISHED.test(pathname)) return new Response(null, { status: 404 });
      // Bytes, since a text would get a media type of its own.
      const body = await Deno.readFile(new URL(`.${pathname}`, ROOT));
      const type = pathname.endsWith(".html") ? PAGE : mediaType;
      return new Response(body, type === null ? {} : { headers: { "content-type": type } });
    });
  }

  /** Host and port, as `--allow-import` names them. */
  get host(): string {
    return `127.0.0.1:${this.#server.addr.port}`;
  }

  /** The URL of a file of the repository. */
  url(path: string): string {
    return `http://${this.host}/${path}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}
