import assert from 'node:assert/strict';
import type { SeenContainer } from '../../../../controllers/engine/engine.js';
import { shownEnvironment } from '../../../../controllers/service/output/container-readings.js';

describe('shownEnvironment', () => {
  const env = {
    A: '1',
    BALENA_API_KEY: 'k',
    RESIN_SUPERVISOR_API_KEY: 'k',
    BALENA_DEVICE_NAME_AT_INIT: 'kitchen',
    MY_API_KEY: 'mine',
  };
  const containers = [{ id: 'c1', env } as unknown as SeenContainer];

  it('shows what the document and the image say, and no key of ours', () => {
    assert.deepEqual(shownEnvironment(containers, 'c1'), { A: '1', MY_API_KEY: 'mine' });
  });

  it('knows nothing of other containers', () => assert.equal(shownEnvironment(containers, 'c2'), undefined));
});
