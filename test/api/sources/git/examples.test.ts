import assert from 'node:assert/strict';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TestRepository } from '../../../setup/git.js';
import { needPrograms } from '../../../setup/programs.js';
import { SourceBench } from './a-source.js';

describe('examples/gitops', () => {
  let repository: TestRepository;
  let bench: SourceBench;

  before(async function () {
    this.timeout(120_000);
    await needPrograms('git');
  });
  beforeEach(async () => {
    repository = TestRepository.make();
    cpSync('examples/gitops', repository.work, { recursive: true });
    repository.commit({});
    bench = await SourceBench.make({
      url: repository.bare,
      vars: { TIMEZONE: 'Europe/Vienna' },
      varsFrom: [{ file: 'sensors.env' }],
    });
    bench.secret('sensors.env', 'BROKER_PASSWORD=pass word\n');
  });
  afterEach(async () => {
    await bench.close();
    repository.remove();
  });

  it('is one thing for the kitchen', async () => {
    assert.equal((await bench.sync()).failure, undefined);
    assert.equal(bench.declared, 'App/broker App/sensors');
    const { spec } = bench.store.get('App', 'sensors') ?? {};
    assert.deepEqual(spec?.release, { commit: 'r8', id: 8 });
    const { collector } = spec?.services ?? {};
    assert.equal(collector?.image, 'registry.example.com/sensors/collector:1.8');
    assert.deepEqual(collector?.devices, ['/dev/ttyUSB0:/dev/sensor']);
    assert.deepEqual(collector?.volumes, ['data:/data']);
    assert.deepEqual(collector?.environment, {
      DEVICE: 'kitchen',
      SITE: 'north',
      TZ: 'Europe/Vienna',
      BROKER_PASSWORD: 'pass word',
    });
  });

  it('brings the configuration of the broker along', async () => {
    assert.equal((await bench.sync()).failure, undefined);
    assert.deepEqual(bench.store.problems(), []);
    const { image, volumes } = bench.store.get('App', 'broker')?.spec.services?.broker ?? {};
    assert.equal(image, 'eclipse-mosquitto:2');
    const [conf, data] = (volumes ?? []).map((one) => (typeof one === 'string' ? one : String(one.source)));
    assert.match(readFileSync(conf ?? '', 'utf8'), /listener 1883/);
    assert.equal(data, join(bench.folder, 'projects/fleet/broker/state/data'));
    await bench.declare({
      url: repository.bare,
      vars: { TIMEZONE: 'Europe/Vienna', BROKER_VERSION: '1.6' },
      varsFrom: [{ file: 'sensors.env' }],
    });
    assert.equal((await bench.sync()).failure, undefined);
    assert.equal(bench.store.get('App', 'broker')?.spec.services?.broker?.image, 'eclipse-mosquitto:1.6');
  });

  it('gets a secret over several lines whole, and nothing while its file cannot be read', async () => {
    bench.secret('sensors.env', 'BROKER_PASSWORD="-----BEGIN-----\nabc\n-----END-----" # of the broker\n');
    assert.equal((await bench.sync()).failure, undefined);
    const collector = bench.store.get('App', 'sensors')?.spec.services?.collector;
    const environment = collector?.environment as Readonly<Record<string, unknown>>;
    assert.equal(environment.BROKER_PASSWORD, '-----BEGIN-----\nabc\n-----END-----');
    bench.secret('sensors.env', 'BROKER_PASSWORD=-----BEGIN-----\nabc\n');
    const { failure } = await bench.sync();
    assert.equal(failure?.reason, 'SecretInvalid');
    assert.match(failure.message, /^The secret sensors.env cannot be read: line 2: expected NAME=value/);
    assert.doesNotMatch(failure.message, /abc|BEGIN/);
  });

  it('shows no part of a password that looks like a reference', async () => {
    bench.secret('sensors.env', 'BROKER_PASSWORD=pa$Tr0ub4dor.x9\n');
    const { failure } = await bench.sync();
    assert.equal(
      failure?.message,
      'The secret sensors.env cannot be read: line 1: a reference to a variable that is not set before this line; ' +
        'write $$ for a dollar sign, or use single quotes',
    );
  });

  it('is another for a device with a screen', async () => {
    bench.device = { ...bench.device, name: 'hall', tags: { screen: 'large' } };
    assert.equal((await bench.sync()).failure, undefined);
    assert.equal(bench.declared, 'App/broker App/display App/sensors');
    assert.equal(
      bench.store.get('App', 'sensors')?.spec.services?.collector?.image,
      'registry.example.com/sensors/collector:1.7',
    );
  });
});
