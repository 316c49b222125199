/**
 * The lines of a stream: all of them kept, and handed out one after another as they come.
 *
 * @module
 */

/** Reads a stream to its end from the start on, so that whoever writes to it never waits for a reader. */
export class Lines implements AsyncIterable<string> {
  /** Settles at the end of the stream. */
  readonly ended: Promise<void>;
  readonly #lines: string[] = [];
  /** What has come of the line that has not ended. */
  #rest = "";
  #taken = 0;
  #open = true;
  #change: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.ended = this.#read(stream);
  }

  /** Everything that has come so far, taken or not. */
  get text(): string {
    return this.#lines.join("\n");
  }

  /** The next line, or undefined at the end. */
  async next(): Promise<string | undefined> {
    while (this.#open && this.#taken === this.#lines.length) await this.#change.promise;
    return this.#lines[this.#taken++];
  }

  /** Takes lines up to the first that matches, and yields the match, or undefined where none did. */
  async find(pattern: RegExp): Promise<RegExpMatchArray | undefined> {
    for await (const line of this) {
      const match = line.match(pattern);
      if (match !== null) return match;
    }
    return undefined;
  }

  /** Waits until a text has come, also in a line that has not ended. Takes nothing. Throws at the end of the stream. */
  async untilText(text: string): Promise<void> {
    const all = () => `${this.text}\n${this.#rest}`;
    while (!all().includes(text)) {
      if (!this.#open) throw new Error(`${JSON.stringify(text)} is not in ${JSON.stringify(all())}`);
      await this.#change.promise;
    }
  }

  async *[Symbol.asyncIterator](): AsyncIterableIterator<string> {
    for (let line = await this.next(); line !== undefined; line = await this.next()) yield line;
  }

  async #read(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      const lines = (this.#rest + text).split("\n");
      this.#rest = lines.pop() ?? "";
      this.#lines.push(...lines);
      this.#announce();
    }
    if (this.#rest !== "") this.#lines.push(this.#rest);
    this.#open = false;
    this.#announce();
  }

  #announce(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }
}
