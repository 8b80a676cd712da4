import { connect, type Socket } from 'node:net';
import { errorMessage } from '../../api/platform/errors.js';

/** What came, and what of it has been read. */
interface Head {
  readonly status: number;
  /** Bytes of the whole answer. */
  readonly length: number;
}

/**
 * One client with one connection that it keeps, as `curl` in a loop: the next request when the answer is complete. Reads no
 * more of an answer than it must: it shares the machine with the agent that is measured.
 */
export class RawClient {
  #socket: Socket | undefined;

  constructor(private readonly port: number) {}

  /** The status of the answer; when there is none, why. A kept connection that was closed meanwhile is opened again. */
  async ask(method: string, path: string, body?: object): Promise<number | string> {
    const text = body === undefined ? '' : JSON.stringify(body);
    const entity = text && `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n`;
    const message = `${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${entity}\r\n${text}`;
    try {
      const kept = this.#socket;
      if (kept === undefined) return await this.#exchange(await this.#open(), message);
      return await this.#exchange(kept, message).catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') throw error;
        return this.#exchange(await this.#open(), message);
      });
    } catch (error) {
      return errorMessage(error);
    }
  }

  close(): void {
    this.#socket?.destroy();
  }

  async #open(): Promise<Socket> {
    this.#socket?.destroy();
    const socket = connect({ port: this.port, host: '127.0.0.1', noDelay: true });
    this.#socket = socket;
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    socket.removeAllListeners('error');
    return socket;
  }

  #exchange(socket: Socket, message: string): Promise<number> {
    return new Promise((resolve, reject) => {
      let received: Buffer = Buffer.alloc(0);
      const end = (act: () => void): void => {
        socket.off('data', onData).off('error', onError).off('close', onClose);
        socket.on('error', () => undefined); // between two requests nobody minds; the next one finds out
        act();
      };
      const onError = (error: Error): void => end(() => reject(error));
      const onClose = (): void => onError(Object.assign(new Error('closed without an answer'), { code: 'ECONNRESET' }));
      const onData = (chunk: Buffer): void => {
        received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
        const head = headOf(received);
        if (typeof head === 'string') onError(new Error(head));
        else if (head && received.length >= head.length) end(() => resolve(head.status));
      };
      socket.removeAllListeners('error').on('data', onData).on('error', onError).on('close', onClose);
      if (socket.destroyed) onClose();
      else socket.write(message);
    });
  }
}

/** Undefined until the headers are there; a text for an answer whose end cannot be known. Pure. */
function headOf(received: Buffer): Head | string | undefined {
  const end = received.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const text = received.toString('latin1', 0, end);
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]);
  const length = /^content-length: (\d+)$/im.exec(text)?.[1] ?? (status === 204 ? '0' : undefined);
  return length === undefined ? `Unexpected answer: ${text}` : { status, length: end + 4 + Number(length) };
}
