import type { Lifecycle, Request, ResponseToolkit } from '@hapi/hapi';

/** How long a client may take for the rest of a stream that has ended, ms. */
const LINGER_MS = 30_000;

/** An answer that is written piece by piece. */
export interface OpenStream {
  /** Returns false when the client does not keep up: the text is kept, but it is time to stop. */
  write(text: string | Uint8Array): boolean;
  /** Bytes that the client has not taken yet. */
  readonly waitingBytes: number;
  end(): void;
}

/** Knows the open streams, so that a stopping server can end them. */
export class Streams {
  readonly #open = new Set<OpenStream>();

  get count(): number {
    return this.#open.size;
  }

  /**
   * Answers 200 at once and passes the stream to `run`, which returns what to call when it is over, whoever ended it.
   * `onDrain` is called whenever a client that was behind has caught up. No idle timeout cuts it.
   */
  answer(
    request: Request,
    h: ResponseToolkit,
    contentType: string | undefined,
    run: (stream: OpenStream, onDrain: (listener: () => void) => void) => () => void,
  ): Lifecycle.ReturnValue {
    const { req, res } = request.raw;
    if (contentType !== undefined) res.setHeader('content-type', contentType);
    if (request.method === 'head') {
      res.writeHead(200).end();
      return h.abandon;
    }
    req.socket?.setTimeout?.(0);
    req.resume(); // a body that nobody reads would hide that the client has disconnected
    res.writeHead(200);
    res.flushHeaders();
    let over: (() => void) | undefined;
    const release = (): void => {
      this.#open.delete(stream);
      over?.();
      over = undefined;
    };
    const stream: OpenStream = {
      write: (text) => !res.writableEnded && !res.destroyed && res.write(text),
      get waitingBytes() {
        return res.writableLength;
      },
      end: () => {
        res.end();
        req.socket?.setTimeout?.(LINGER_MS); // a client that does not take the rest is gone
        release();
      },
    };
    this.#open.add(stream);
    res.once('close', release);
    over = run(stream, (listener) => res.on('drain', listener));
    if (res.writableEnded || res.destroyed) release();
    return h.abandon;
  }

  /** Ends every stream in good order. */
  endAll(): void {
    for (const stream of this.#open) stream.end();
  }
}
