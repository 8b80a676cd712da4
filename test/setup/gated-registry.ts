import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { timeoutSignal } from '../../api/platform/time-limit.js';
import { useRegistry } from './docker.js';
import type { Scene } from './scene.js';

/** One layer (or config) on its way to an engine. */
interface Download {
  readonly path: string;
  /** Bytes that were sent so far. */
  readonly bytes: number;
  readonly is: 'running' | 'whole' | 'broken off';
}

/** What stands before a registry and lets through as much as the test wishes. */
export interface GatedRegistry {
  /** `127.0.0.1:port`: the beginning of its references. */
  readonly address: string;
  /** All that were asked for, in order. */
  readonly downloads: readonly Download[];
  /** From now on what is large gets through in a trickle after its beginning, until `open`. */
  hold(): void;
  open(): void;
  /** From now on nobody answers at the address, until `comeBack`. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
  close(): Promise<void>;
}

/** Of a held download. */
const LET_THROUGH_BYTES = 256 * 1024;
/** Between two chunks of it. Docker (20.10) notices only with the next one that nobody waits for it any more. */
const TRICKLE_MS = 100;

/** A registry of the scene's own behind a gate; both end with the scene. */
export async function useGatedRegistry(scene: Scene): Promise<GatedRegistry & { readonly publish: Publish }> {
  const registry = await useRegistry();
  scene.onClose(() => registry.close());
  const gate = await useGate(registry.address);
  scene.onClose(() => gate.close());
  const publish: Publish = async (name, bytes) => {
    const path = `${scene.prefix}/${name}`;
    const direct = `${registry.address}/${path}`;
    await scene.makeImage(direct, { files: [{ path: 'etc/content', content: randomBytes(bytes) }] });
    await scene.docker.push(direct);
    await scene.docker.engine.removeImage(direct, timeoutSignal(60_000));
    return `${gate.address}/${path}`;
  };
  return { ...gate, publish };
}

/** Makes an image that exists only in the registry, and is pulled through the gate; its reference. */
type Publish = (name: string, bytes: number) => Promise<string>;

async function useGate(registry: string): Promise<GatedRegistry> {
  const downloads: { path: string; bytes: number; is: Download['is'] }[] = [];
  let gate: { readonly opened: Promise<void>; readonly open: () => void } | undefined;

  const pass = async (answer: IncomingMessage, out: ServerResponse, path: string): Promise<void> => {
    const download = { path, bytes: 0, is: 'running' as Download['is'] };
    downloads.push(download);
    const closed = once(out, 'close').then(() => {
      download.is = out.writableFinished ? 'whole' : 'broken off';
      answer.destroy();
    });
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      if (download.bytes >= LET_THROUGH_BYTES && gate) await Promise.race([gate.opened, sleep(TRICKLE_MS)]);
      if (out.destroyed) return;
      download.bytes += chunk.length;
      if (!out.write(chunk)) await Promise.race([once(out, 'drain'), closed]);
    }
    out.end();
  };

  const listen = async (port: number) => {
    const server = createServer((question, out) => {
      const [host, at] = registry.split(':');
      const { url = '', method, headers } = question;
      const inner = request({ host, port: at, path: url, method, headers }, (answer) => {
        out.writeHead(answer.statusCode ?? 502, answer.headers);
        if (method === 'GET' && url.includes('/blobs/')) pass(answer, out, url).catch(() => out.destroy());
        else answer.pipe(out);
      });
      inner.on('error', () => out.destroy());
      question.pipe(inner);
    });
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
    return server;
  };

  let server: Awaited<ReturnType<typeof listen>> | undefined = await listen(0);
  const bound = server.address();
  const port = bound !== null && typeof bound === 'object' ? bound.port : 0;
  const goAway = async (): Promise<void> => {
    const going = server;
    server = undefined;
    if (!going) return;
    const gone = new Promise<void>((resolve) => going.close(() => resolve()));
    going.closeAllConnections();
    await gone;
  };
  const open = (): void => {
    gate?.open();
    gate = undefined;
  };
  return {
    address: `127.0.0.1:${port}`,
    downloads,
    hold() {
      let opens = (): void => undefined;
      const opened = new Promise<void>((resolve) => {
        opens = resolve;
      });
      gate ??= { opened, open: opens };
    },
    open,
    goAway,
    async comeBack() {
      server ??= await listen(port);
    },
    async close() {
      open();
      await goAway();
    },
  };
}
