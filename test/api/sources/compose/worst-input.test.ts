import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { type Converted, convertProject } from '../../../../api/sources/compose/convert.js';
import type { FileAnswer } from '../../../../api/sources/compose/load.js';
import { isMap } from '../../../../crds/model/maps.js';
import { parseDocument } from '../../../../crds/schema/parse.js';

const FOLDER = '/p/shop';

/** Converts a project of these files, and joins what is wrong with it. */
async function convert(
  files: Readonly<Record<string, string>>,
): Promise<{ readonly converted: Converted; readonly messages: string }> {
  const readFile = async (path: string): Promise<FileAnswer> => ({ text: files[posix.relative(FOLDER, path)] });
  const converted = await convertProject({ folder: FOLDER, readFile }, parseDocument);
  return { converted, messages: converted.problems.map(({ message }) => message).join('\n') };
}

const numbered = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('');

describe('a Compose project that is bad on purpose', () => {
  it('is not read on once files are included without end, each twice by the one before', async () => {
    const levels = Object.fromEntries(
      Array.from({ length: 30 }, (_, at) => [`i${at}.yaml`, `include: [i${at + 1}.yaml, ./i${at + 1}.yaml]`]),
    );
    const { messages } = await convert({
      ...{ 'compose.yaml': 'include: [i0.yaml]\nservices: {web: {image: x}}', 'i30.yaml': 'services: {z: {image: y}}' },
      ...levels,
    });
    assert.match(messages, /The project includes more than 200 files/);
  });

  it('has a file parsed once, however many services extend one of it', async () => {
    const { messages } = await convert({
      'compose.yaml': `services:\n${numbered(900, (at) => `  s${at}: {extends: {file: base.yaml, service: base}}\n`)}`,
      'base.yaml': `services:\n  base: {image: x}\n${numbered(1000, (at) => `  b${at}: {image: y}\n`)}`,
    });
    assert.equal(messages, '');
  });

  it('still tells of every service that extends a file that is not there', async () => {
    const extend = 'extends: {file: base.yaml, service: base}';
    const { converted } = await convert({ 'compose.yaml': `services:\n  a: {${extend}}\n  b: {${extend}}\n` });
    const missing = converted.problems.filter(({ message }) => message.includes('There is no file'));
    assert.deepEqual(
      missing.map(({ source }) => source?.line),
      [2, 3],
    );
  });

  it('has no range of ports written out that no device has', async () => {
    const { messages } = await convert({
      'compose.yaml': `services:\n  web:\n    image: x\n    ports:\n      - &all "1-65535:1-65535"\n${'      - *all\n'.repeat(3000)}`,
    });
    assert.match(messages, /Expected at most 2000 ports of a service/);
  });

  it('names no variable at the price of a search for each of them in each problem', async () => {
    const count = 4_000;
    const started = process.cpuUsage();
    const { converted } = await convert({
      'compose.yaml': `services:\n${numbered(100, (at) => `  s${at}: {image: x, restart: "$V${at}"}\n`)}  web:\n    image: x\n    environment:\n${numbered(count, (at) => `      - A${at}=$V${at}\n`)}`,
      '.env': numbered(count, (at) => `V${at}=secret${at}\n`),
    });
    assert.ok(converted.problems.length > 50);
    assert.ok(converted.problems.every(({ message }) => !message.includes('secret')));
    assert.ok(process.cpuUsage(started).user < 4_000_000);
  });

  it('is not searched for examples of variables in a line of white space for minutes', async () => {
    const { messages } = await convert({
      'compose.yaml': 'services: {web: {image: x}}',
      '.env.example': `${' '.repeat(500_000)}x\n`,
    });
    assert.equal(messages, '');
  });

  it('may not have a file of variables of more than 1 MiB', async () => {
    const long = `A=${'x'.repeat(2 * 1024 * 1024)}`;
    const web = 'services: {web: {image: x, env_file: [large.env]}}';
    const { messages } = await convert({ 'compose.yaml': web, '.env': long, 'large.env': long });
    assert.match(messages, /\.env is larger than 1 MiB\n.*large\.env is larger than 1 MiB/);
  });

  it('names a variable that is not set once, however often a text has it', async () => {
    const { messages } = await convert({
      'compose.yaml': `services: {web: {image: x, read_only: "${'$NOT_SET'.repeat(1000)}"}}`,
    });
    assert.equal(messages, 'Expected true or false, found an empty text: NOT_SET is not set');
  });

  it('loses no service and no variable because of a name that objects have', async () => {
    const { converted } = await convert({
      'compose.yaml':
        'services:\n  web: {image: x, environment: {constructor: a, __proto__: b}, links: [__proto__]}\n  __proto__: {image: x}\n',
    });
    const spec = converted.document?.spec;
    const services = isMap(spec) && isMap(spec.services) ? Object.keys(spec.services) : [];
    const texts = converted.problems.map(({ path }) => path);
    assert.ok(services.includes('__proto__') || texts.includes('services.__proto__'), JSON.stringify(services));
  });

  it('has no mount with an option behind another colon, which Compose refuses too', async () => {
    const { messages } = await convert({ 'compose.yaml': 'services: {web: {image: x, volumes: ["./a:/b:rw:ro"]}}' });
    assert.equal(messages, 'Expected source:target:options; there are too many colons');
  });
});
