import assert from 'node:assert/strict';
import { isDue } from '../../../api/store/pending.js';
import type { Requests } from '../../../crds/model/kinds.js';
import { anApp, aVolume, ready } from '../../setup/documents.js';

const asked: Requests = { restart: { id: 'r', at: '2026-01-01T00:00:00Z' } };

describe('a document is due', () => {
  const rows = [
    { it: 'before its first pass', document: anApp(), want: true },
    { it: 'not once a pass has seen this generation', document: anApp({ status: ready() }), want: false },
    { it: 'again when its spec has changed since', document: anApp({ generation: 2, status: ready(1) }), want: true },
    { it: 'while a request is open', document: anApp({ requests: asked, status: ready() }), want: true },
    {
      it: 'not once the request is acknowledged',
      document: anApp({ requests: asked, status: { ...ready(), handled: { restart: 'r' } } }),
      want: false,
    },
    {
      it: 'for the next request of that name',
      document: anApp({ requests: asked, status: { ...ready(), handled: { restart: 'earlier' } } }),
      want: true,
    },
    {
      it: 'not for a request that its kind does not take',
      document: aVolume({ requests: asked, status: ready() }),
      want: false,
    },
  ];
  for (const { it: what, document, want } of rows) it(what, () => assert.equal(isDue(document), want));
});
