import type { Lifecycle, Request, ResponseToolkit } from '@hapi/hapi';
import type { LineOwner, LogLine, LogStream } from '../../device-state/logs.js';
import type { Streams } from '../transport/streams.js';

/** Bytes that are kept for a listener that does not keep up; later lines are dropped, and counted. */
const LISTENER_BUFFER_BYTES = 256 * 1024;

export interface LogLinesDeps {
  readonly logs: LogStream;
  readonly streams: Streams;
  readonly now: () => number;
  /** Tells whether the listener gets the lines of that owner. */
  mayRead(owner: LineOwner): boolean;
}

/** Streams every line from now on as NDJSON, the first one at once. A slow listener loses lines and is told how many. */
export function streamLogs(
  request: Request,
  h: ResponseToolkit,
  { logs, streams, now, mayRead }: LogLinesDeps,
): Lifecycle.ReturnValue {
  return streams.answer(request, h, undefined, (stream, onDrain) => {
    let dropped = 0;
    const write = (line: LogLine): void => {
      stream.write(`${JSON.stringify(line)}\n`);
    };
    onDrain(() => {
      if (dropped === 0) return;
      const message = `${dropped} lines were dropped because this listener did not keep up`;
      dropped = 0;
      write({ message, isSystem: true, timestamp: now() });
    });
    write({ message: 'Streaming logs', isSystem: true });
    return logs.listen((line, owner) => {
      if (!mayRead(owner)) return;
      if (stream.waitingBytes > LISTENER_BUFFER_BYTES) dropped += 1;
      else write(line);
    });
  });
}
