import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { readDocuments } from '../../api/sources/files/read-documents.js';
import type { AnyDeclared } from '../../crds/model/kinds.js';
import { parseDocument } from '../../crds/schema/parse.js';
import { anyApp } from './any-app.js';
import { restsOn } from './rest.js';

const SEED = 20_261_125;
const DEVICES = process.env.SUPERCARGO_CRASHES === 'all' ? 100 : 30;
/** Made up, side by side. */
const APPS_OF_DEVICE = [1, 2, 3, 4, 5];

describe('a second pass, and the first pass of another agent, make no call and no write', () => {
  const files = ['manifests', 'examples'].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => /\.(yaml|yml|json)$/.test(name))
      .map((name) => join(folder, name)),
  );
  for (const file of files) {
    it(`over ${file}`, async () => {
      const { documents } = readDocuments(readFileSync(file), file, {
        parse: parseDocument,
        deviceUuid: '0'.repeat(32),
      });
      await restsOn(documents.map(({ document }) => document));
    });
  }

  it(`over ${DEVICES * APPS_OF_DEVICE.length} generated documents`, async () => {
    const anyDevice = fc.tuple(...APPS_OF_DEVICE.map(anyApp));
    await fc.assert(
      fc.asyncProperty(anyDevice, (apps) => restsOn(apps.map(checked))),
      { seed: SEED, numRuns: DEVICES, endOnFailure: true },
    );
  }).timeout(300_000);
});

/** As it comes from any origin: defaults filled in, and refused when it is not a document. */
function checked(document: AnyDeclared): AnyDeclared {
  const parsed = parseDocument(document);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed));
  return parsed.document;
}
