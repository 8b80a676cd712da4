import assert from 'node:assert/strict';
import { app, document, issuesOf, service } from './a-document.js';

describe('parseDocument', () => {
  describe('keeps secrets', () => {
    const secret = 'hunter2';
    const source = (spec: object) =>
      document('GitSource', 'fleet', { url: 'https://git.example.org/fleet.git', ...spec });
    const cases: Record<string, unknown> = {
      'environment as text': service({ environment: `PASSWORD=${secret}` }),
      'an entry without a name': service({ environment: [`=${secret}`] }),
      'a number in the list': service({ environment: [secret, 4_711_471] }),
      'a map in the map': service({ environment: { A: { secret } } }),
      'the password of the proxy': document('HostConfig', 'network', {
        proxy: { password: [secret], login: [secret] },
      }),
      'a configuration variable': document('HostConfig', 'device', { config: { WIFI: 4_711_471 } }),
      annotations: app({}, { metadata: { name: 'x', annotations: secret } }),
      'a login before an image': service({ image: `bob:${secret}@example.org/x` }),
      'a password with a slash': service({ image: `https://bob:a/${secret}@example.org/x` }),
      'a token behind an image': service({ image: `https://example.org/x?access_token=${secret}` }),
      'a login in the address of a repository': source({ url: `bob:${secret}@example.org:x.git` }),
      'a token behind the address of a repository': source({ url: `https://example.org/x?token=${secret}` }),
      'a token instead of the name of its file': source({ credentials: { token: `a b/${secret}` } }),
      'a secret of the webhook': source({ webhook: { secret: `a b/${secret}` } }),
      'a password as the name of a file of variables': source({ varsFrom: [{ file: `a b/${secret}` }] }),
    };
    for (const [name, value] of Object.entries(cases)) {
      it(name, () => {
        const lines = issuesOf(value).join('\n');
        assert.notEqual(lines, '');
        assert.doesNotMatch(lines, /hunter2|4711471/);
      });
    }

    it('shows other values cut short', () => {
      const [line = ''] = issuesOf(service({ restart: 'x'.repeat(1000) }));
      assert.ok(line.endsWith(`found "${'x'.repeat(40)}…"`), line);
    });
  });
});
