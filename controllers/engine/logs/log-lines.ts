import type { ContainerLogLine } from '../engine.js';

/** Longest line, bytes; a longer one comes in pieces of this size. */
const LONGEST_LINE_BYTES = 64 * 1024;
const HEADER_BYTES = 8;
/** Largest frame, bytes: far more than a message of Docker's. */
const LONGEST_FRAME_BYTES = 1024 * 1024;
/** Docker cuts a longer line into messages of this many bytes, except the last one of the line. */
const PART_BYTES = 16 * 1024;
const LINE_FEED = 0x0a;
/** The time before each message, as RFC 3339 with nine digits of the second, in UTC. */
const STAMP = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z /g;
const STAMP_BYTES = 31;

/** The unfinished line of one stream. */
interface Open {
  readonly parts: Buffer[];
  bytes: number;
  timestamp: number;
}

/**
 * Splits Docker's log stream (requested with timestamps) into lines. A container with a terminal sends plain text, any
 * other one sends frames: an 8-byte header (stream, length), then one message with its time in front. The first byte
 * shows which: text begins with the digits of a year. Docker cuts long lines into several messages, which are joined
 * again up to 64 KiB. Throws for a frame that no engine sends.
 */
export function logLines(): {
  /** Yields the lines that this chunk completes; all of them have to be taken before the next chunk. */
  take(chunk: Buffer): Iterable<ContainerLogLine>;
  finish(): Iterable<ContainerLogLine>;
} {
  const streams = { out: emptyLine(), err: emptyLine() };
  let rest: Buffer = Buffer.alloc(0);
  /** Bytes after `rest`: joined once there is something to do, because each time costs as much as there is. */
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let framed: boolean | undefined;

  /** Tells whether nothing can be done before more has arrived. */
  const isTooLittle = (chunk: Buffer): boolean => {
    const bytes = rest.length + waitingBytes;
    if (framed === undefined || bytes < HEADER_BYTES) return framed === true;
    if (!framed) return !chunk.includes(LINE_FEED) && bytes <= LONGEST_LINE_BYTES;
    return rest.length >= HEADER_BYTES && bytes < frameEnd(rest);
  };

  const gather = (): void => {
    rest = Buffer.concat([rest, ...waiting]);
    waiting = [];
    waitingBytes = 0;
  };

  const takeFrames = function* (): Iterable<ContainerLogLine> {
    while (rest.length >= HEADER_BYTES) {
      const end = frameEnd(rest);
      if (rest.length < end) return;
      const isStdErr = rest[0] === 2;
      const { timestamp, text } = splitTimestamp(rest.subarray(HEADER_BYTES, end));
      const stream = isStdErr ? streams.err : streams.out;
      yield* append(stream, text, timestamp, isStdErr);
      if (text.length < PART_BYTES) yield* closeIfOpen(stream, isStdErr); // the last one of a run that has ended
      rest = rest.subarray(end);
    }
  };
  const takeText = function* (): Iterable<ContainerLogLine> {
    for (let feed = rest.indexOf(LINE_FEED); feed >= 0; feed = rest.indexOf(LINE_FEED)) {
      yield* appendText(rest.subarray(0, feed + 1));
      rest = rest.subarray(feed + 1);
    }
    if (rest.length > LONGEST_LINE_BYTES) {
      const end = beforeStamp(rest);
      yield* appendText(rest.subarray(0, end));
      rest = rest.subarray(end);
    }
  };
  /** The message that is being read, of a container with a terminal: its time as Docker wrote it, and its length so far. */
  let message: { readonly stamp: string; bytes: number } | undefined;
  const appendMessage = function* (text: Buffer, timestamp: number | undefined): Iterable<ContainerLogLine> {
    yield* append(streams.out, text, timestamp, false);
    if (message) message.bytes += text.length;
  };
  /**
   * Appends a line or a part of one. Only its time shows where a message begins that follows another one in the middle
   * of a line: the next part of a long line, or the next run after one that ended without a line end. What the
   * container prints itself may look the same, but is no later than the time at which Docker read it.
   */
  const appendText = function* (piece: Buffer): Iterable<ContainerLogLine> {
    const first = message === undefined ? splitTimestamp(piece) : { timestamp: undefined, text: piece };
    let from = piece.length - first.text.length;
    let { timestamp } = first;
    message ??= { stamp: piece.subarray(0, from).toString('latin1'), bytes: 0 };
    for (const { 0: stamp, index } of piece.toString('latin1').matchAll(STAMP)) {
      if (index < from) continue;
      const bytes: number = message.bytes + index - from;
      if (bytes !== PART_BYTES && stamp <= message.stamp) continue;
      yield* appendMessage(piece.subarray(from, index), timestamp);
      if (bytes < PART_BYTES) yield* closeIfOpen(streams.out, false);
      message = { stamp, bytes: 0 };
      timestamp = Date.parse(stamp.trimEnd());
      from = index + STAMP_BYTES;
    }
    yield* appendMessage(piece.subarray(from), timestamp);
    if (piece.at(-1) === LINE_FEED) message = undefined;
  };

  return {
    *take(chunk) {
      waiting.push(chunk);
      waitingBytes += chunk.length;
      if (isTooLittle(chunk)) return;
      gather();
      framed ??= rest[0] === undefined ? undefined : rest[0] <= 2;
      if (framed === true) yield* takeFrames();
      else if (framed === false) yield* takeText();
    },
    *finish() {
      gather();
      if (framed === false && rest.length > 0) yield* appendText(rest);
      rest = Buffer.alloc(0);
      yield* closeIfOpen(streams.out, false);
      yield* closeIfOpen(streams.err, true);
    },
  };
}

/** Returns where the first frame ends, by its header. */
function frameEnd(bytes: Buffer): number {
  const end = HEADER_BYTES + bytes.readUInt32BE(4);
  if (end > LONGEST_FRAME_BYTES) throw new Error(`A frame of the log says that it has ${end} bytes`);
  return end;
}

const emptyLine = (): Open => ({ parts: [], bytes: 0, timestamp: 0 });

function* append(
  open: Open,
  text: Buffer,
  timestamp: number | undefined,
  isStdErr: boolean,
): Iterable<ContainerLogLine> {
  let left = text;
  while (left.length > 0) {
    if (open.bytes === 0) open.timestamp = timestamp ?? open.timestamp;
    const feed = left.indexOf(LINE_FEED);
    const room = LONGEST_LINE_BYTES - open.bytes;
    const ends = feed >= 0 && feed <= room;
    const piece = left.subarray(0, ends ? feed : characterBoundary(left, room));
    open.parts.push(piece);
    open.bytes += piece.length;
    left = left.subarray(ends ? feed + 1 : piece.length);
    if (ends || left.length > 0) yield close(open, isStdErr);
  }
}

function* closeIfOpen(open: Open, isStdErr: boolean): Iterable<ContainerLogLine> {
  if (open.bytes > 0) yield close(open, isStdErr);
}

function close(open: Open, isStdErr: boolean): ContainerLogLine {
  const { timestamp } = open;
  const message = Buffer.concat(open.parts).toString().replace(/\r$/, '');
  open.parts.length = 0;
  open.bytes = 0;
  return { message, isStdErr, timestamp };
}

/** Returns at most `limit`, moved back (a character has four bytes at most) so that no UTF-8 character is cut. */
function characterBoundary(text: Buffer, limit: number): number {
  if (text.length <= limit) return text.length;
  let end = limit;
  while (end > 0 && end > limit - 4 && ((text[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return end;
}

/** Returns how much of an unfinished line can be taken without cutting a time inside it or at its end. Pure. */
function beforeStamp(text: Buffer): number {
  const end = text.length - STAMP_BYTES + 1;
  const from = end - STAMP_BYTES;
  const tail = text.subarray(from).toString('latin1');
  const cut = [...tail.matchAll(STAMP)].find(({ index }) => index < end - from && index + STAMP_BYTES > end - from);
  return cut ? from + cut.index : end;
}

/** Splits `2026-11-22T22:23:33.516755652Z text` into ms since the epoch and the rest; without a time, the text as it is. */
function splitTimestamp(line: Buffer): { timestamp: number | undefined; text: Buffer } {
  const space = line.subarray(0, 64).indexOf(0x20);
  const timestamp = space < 0 ? Number.NaN : Date.parse(line.subarray(0, space).toString());
  return Number.isNaN(timestamp) ? { timestamp: undefined, text: line } : { timestamp, text: line.subarray(space + 1) };
}
