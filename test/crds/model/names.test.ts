import assert from 'node:assert/strict';
import {
  allottedId,
  childName,
  containerName,
  imageDocumentName,
  NAME,
  networkName,
  volumeName,
} from '../../../crds/model/names.js';

const DIGEST = 'sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa';

describe('names', () => {
  it('are those of the Supervisor', () => {
    assert.equal(containerName('sensor', 4410, 970, 'b7e2d4'), 'sensor_4410_970_b7e2d4');
    assert.equal(networkName('5f1c0e9a', 'default'), '5f1c0e9a_default');
    assert.equal(volumeName(1207, 'data'), '1207_data');
    assert.equal(childName('hello', 'web'), 'hello.web');
  });

  describe('imageDocumentName', () => {
    const cases: [reference: string, want: RegExp][] = [
      ['busybox:latest', /^hello\.busybox-[0-9a-f]{8}$/],
      ['registry.example.com:5000/team/web:2', /^hello\.web-[0-9a-f]{8}$/],
      [`registry.example.com/v2/aa11@${DIGEST}`, /^hello\.aa11-[0-9a-f]{8}$/],
      [DIGEST, /^hello\.sha256-[0-9a-f]{8}$/],
      [`${'x'.repeat(200)}:1`, /^hello\.x{40}-[0-9a-f]{8}$/],
    ];
    for (const [reference, want] of cases) {
      it(`of ${reference.slice(0, 40)}`, () => {
        const name = imageDocumentName('hello', reference);
        assert.match(name, want);
        assert.match(name, NAME);
      });
    }

    it('tells references apart that read alike, and stays the same', () => {
      const names = ['a/web:1', 'b/web:1', 'a/web:2'].map((reference) => imageDocumentName('hello', reference));
      assert.equal(new Set(names).size, 3);
      assert.equal(imageDocumentName('hello', 'busybox:latest'), 'hello.busybox-8fc32ffc');
    });
  });

  describe('allottedId', () => {
    it('is the same for a name for ever, since object names are made of it', () => {
      assert.equal(allottedId('hello'), 1_961_623_103);
      assert.equal(allottedId('hello/web'), 1_476_838_438);
    });

    it('has ten digits and fits every client', () => {
      const ids = Array.from({ length: 2000 }, (_, index) => allottedId(`app-${index}`));
      assert.ok(ids.every((id) => Number.isSafeInteger(id) && id >= 1_000_000_000 && id < 2_000_000_000));
      assert.equal(new Set(ids).size, ids.length);
    });
  });
});
