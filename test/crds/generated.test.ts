import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { regionOf, withCopies } from '../../crds/schema/copies.js';
import { generate } from '../../crds/schema/generate.js';

describe('npm run generate', () => {
  it('changes nothing: types, schemas and copied fields are those of the CRD files', async function () {
    this.timeout(180_000); // the TypeScript generator formats with prettier
    for (const [path, text] of await generate()) {
      assert.ok(readFileSync(path, 'utf8') === text, `${basename(path)} is stale: run \`npm run generate\``);
    }
  });

  it('does not depend on the copies that are there', () => {
    const home = 'a:\n  # begin: volume definition (home)\n  driver: 1 # why\n  # end: volume definition\n';
    const other = 'b:\n      # begin: volume definition (old)\n      stale: 2\n      # end: volume definition\n';
    const filled = withCopies({ 'volume.yaml': home, 'app.yaml': other });
    assert.equal(filled['volume.yaml'], home);
    assert.deepEqual(regionOf(filled['app.yaml'] ?? '', 'volume definition'), ['driver: 1 # why']);
    assert.ok(filled['app.yaml']?.includes('\n      driver: 1 # why\n'));
    assert.deepEqual(withCopies(filled), filled);
  });

  it('refuses a region without an end', () => {
    assert.throws(
      () => regionOf('# begin: runtime status\nx: 1\n', 'runtime status'),
      /has no "# end: runtime status"/,
    );
  });
});
