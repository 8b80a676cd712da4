import type { Lifecycle } from '@hapi/hapi';
import type { LogStream } from '../../device-state/logs.js';
import type { Reader } from '../../store/store.js';
import { failed, json, ready, render } from '../transport/answer.js';
import { mayRead } from '../transport/app-keys.js';
import { scopeOf } from '../transport/auth.js';
import { bodyOf } from '../transport/body.js';
import { callerText } from '../transport/caller-text.js';
import type { Route } from '../transport/routes.js';
import type { Streams } from '../transport/streams.js';
import { ViewCache } from '../transport/view-cache.js';
import { streamLogs } from './log-lines.js';

/** The target state of the compatible API ⇄ documents; implemented by the origin `local`. */
export interface TargetState {
  /** Takes a target state that `caller` posts, as a whole or not at all. When it resolves with ok, it is on disk and passes are due. */
  accept(
    body: unknown,
    caller: string,
  ): Promise<{ readonly ok: true } | { readonly ok: false; readonly status: 400 | 503; readonly message: string }>;
  /** Returns the `state` that GET shows; it can be posted back. No secrets. Changes with the store only. */
  render(): object;
}

export interface LocalRoutesDeps {
  readonly store: Pick<Reader, 'resourceVersion' | 'get'>;
  readonly target: TargetState;
  readonly device: { readonly arch: string; readonly deviceType: string };
  readonly settings: { readonly localMode: boolean; readonly development: boolean };
  readonly logs: LogStream;
  readonly streams: Streams;
  readonly now: () => number;
}

/**
 * Serves `/v2/local/…` for `balena push` and `balena device logs`. Only posting a target needs local mode and the key
 * of the device: with that one can mount and run anything.
 */
export function localRoutes({
  store,
  target,
  device,
  settings,
  logs,
  streams,
  now,
}: LocalRoutesDeps): readonly Route[] {
  const shown = new ViewCache(store, () => render({ status: 'success', state: target.render() }));
  const show = () => shown.get({ type: 'global' }); // every key may see all of it
  const info: Lifecycle.Method = (_, h) =>
    json(h, { status: 'success', info: { arch: device.arch, deviceType: device.deviceType } });
  const follow: Lifecycle.Method = (request, h) =>
    streamLogs(request, h, { logs, streams, now, mayRead: mayRead(scopeOf(request), store) });

  return [
    {
      method: 'GET',
      path: '/v2/local/target-state',
      callers: 'device',
      cached: show,
      handler: (_, h) => ready(h, show()),
    },
    {
      method: 'POST',
      path: '/v2/local/target-state',
      callers: 'device',
      body: 'TargetPost',
      async handler(request, h) {
        if (scopeOf(request).type !== 'global' && !settings.development) return failed(h, 401, 'Unauthorized');
        if (!settings.localMode) {
          return failed(h, 400, 'Target state can only set when device is in local mode');
        }
        const answer = await target.accept(bodyOf(request), callerText(request));
        return answer.ok ? json(h, { status: 'success', message: 'OK' }) : failed(h, answer.status, answer.message);
      },
    },
    { method: ['GET', 'POST'], path: '/v2/local/device-info', callers: 'any key', handler: info },
    { method: ['GET', 'POST'], path: '/v2/local/logs', callers: 'any key', handler: follow },
  ];
}
