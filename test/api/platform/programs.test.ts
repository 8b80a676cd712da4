import assert from 'node:assert/strict';
import { withoutSecrets } from '../../../api/platform/programs.js';

describe('the environment of other programs', () => {
  it('holds everything but our own settings, with the system folders on PATH', () => {
    const { PATH, ...rest } = withoutSecrets({
      PATH: '/home/me/bin',
      HOME: '/root',
      SUPERCARGO_API_KEY: 'secret',
      EMPTY: undefined,
    });
    assert.deepEqual(rest, { HOME: '/root' });
    assert.ok(PATH?.startsWith('/home/me/bin:') && PATH.includes('/usr/sbin'));
  });
});
