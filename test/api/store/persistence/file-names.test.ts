import assert from 'node:assert/strict';
import { fileNameOf, guessName } from '../../../../api/store/persistence/file-names.js';

describe('the file of a document', () => {
  const rows: readonly { it: string; name: string; want: string }[] = [
    { it: 'has its name', name: 'hello.web-1_a', want: 'hello.web-1_a.json' },
    { it: 'is the same on a file system that ignores case', name: 'Hello', want: '%48ello.json' },
    { it: 'is never hidden', name: '.x', want: '%2ex.json' },
    { it: 'is never above its folder', name: '../x', want: '%2e.%2fx.json' },
    { it: 'has no blanks and no percent of the name', name: 'a %41', want: 'a%20%2541.json' },
    { it: 'has bytes of other letters', name: 'ü', want: '%c3%bc.json' },
    { it: 'has a name even when the document has none', name: '', want: '%.json' },
    { it: 'keeps 180 characters whole', name: 'a'.repeat(180), want: `${'a'.repeat(180)}.json` },
  ];
  for (const { it: what, name, want } of rows) it(what, () => assert.equal(fileNameOf(name), want));

  it('ends in a hash when the name is longer: two long names are two files', () => {
    const [one, other] = [fileNameOf(`${'a'.repeat(200)}1`), fileNameOf(`${'a'.repeat(200)}2`)];
    assert.match(one, /^a{147}~[0-9a-f]{32}\.json$/);
    assert.notEqual(one, other);
    assert.equal(one.length, 185);
  });

  it('cannot be taken for a long one: there is no ~ in a short one', () => assert.equal(fileNameOf('~'), '%7e.json'));

  for (const { name } of rows.filter((row) => row.name !== '')) {
    it(`tells its document: ${name.slice(0, 20)}`, () => assert.equal(guessName(fileNameOf(name)), name));
  }

  it('that is none of ours is shown as it is', () => assert.equal(guessName('50%.json'), '50%'));
});
