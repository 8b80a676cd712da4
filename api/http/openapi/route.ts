import type { Plugin } from '@hapi/hapi';
import { type Rendered, ready, render } from '../transport/answer.js';
import { openApiDocument } from './document.js';

/** `GET /openapi.json`, for every key. Made when it is first asked for, and kept as text. */
export const openApiRoute: Plugin<{ readonly version: string }> = {
  name: 'openapi',
  register(server, { version }) {
    const made: { text?: Rendered } = {};
    server.route({
      method: 'GET',
      path: '/openapi.json',
      handler(_, h) {
        made.text ??= render(openApiDocument(version));
        return ready(h, made.text);
      },
    });
  },
};
