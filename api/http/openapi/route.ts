import { type Rendered, ready, render } from '../transport/answer.js';
import type { Route } from '../transport/routes.js';
import { openApiDocument } from './document.js';

/** Serves `GET /openapi.json`, for every key. Rendered at the first request, and kept as text. */
export function openApiRoutes({ version }: { readonly version: string }): readonly Route[] {
  const made: { text?: Rendered } = {};
  return [
    {
      method: 'GET',
      path: '/openapi.json',
      callers: 'any key',
      handler(_, h) {
        made.text ??= render(openApiDocument(version));
        return ready(h, made.text);
      },
    },
  ];
}
