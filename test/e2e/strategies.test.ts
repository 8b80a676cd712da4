import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { conditionOf } from '../../crds/model/conditions.js';
import type { AppService, AppSpec } from '../../crds/model/types.js';
import { Scene } from '../setup/scene.js';

/** Serves its version, half a second after it has started; ends at once when told. */
const SERVE =
  'trap "exit 0" TERM; mkdir -p /www; echo $VERSION > /www/index.html; sleep 0.5; httpd -f -p 80 -h /www & wait';
/**
 * Asks for the page again and again, by the name of the service; one line for each answer. It tries twice, as clients do:
 * an address that it has just been told may be that of a container that ends. A static busybox resolves names with
 * nslookup only.
 */
const ASK = [
  'ask() { at=$(nslookup web | sed -n "s/^Address: *//p" | grep -v :53 | head -n 1); timeout 2 wget -q -O- "http://$at/"; }',
  'while :; do ask || { sleep 0.3; ask; } || echo failed; sleep 0.02; done > /answers 2>/dev/null',
].join('\n');

describe('update strategies', () => {
  let scene: Scene;
  before(async () => {
    scene = await Scene.open();
  });
  after(() => scene?.close());

  const apps: string[] = [];
  /** Clients that ask without a pause and checks four times a second go with their test: the next one has the machine. */
  afterEach(async () => {
    for (const name of apps.splice(0)) await scene.delete(name);
  });

  const web = (version: string, fields: Partial<AppService> = {}): AppService => ({
    image: scene.image,
    command: ['sh', '-c', SERVE],
    environment: { VERSION: version },
    ...fields,
  });
  const client = (): AppService => scene.service({ command: ['sh', '-c', ASK] });
  const statusOf = async (name: string) => (await scene.agent.document('Service', `${name}.web`))?.status;

  /** Has an app with a client run in one version, then in another; what the client got from then on. */
  async function update(
    name: string,
    fields: Partial<AppService>,
    meanwhile: (appId: number) => Promise<void> = async () => undefined,
  ) {
    const appId = scene.appId();
    const spec = (version: string): AppSpec => ({ appId, services: { web: web(version, fields), client: client() } });
    apps.push(name);
    await scene.put(name, spec('1'));
    await scene.untilReady(name);
    const [asking] = await scene.untilRunning(appId, ['client', 'web']);
    // Read from outside: a process in the container for every look would take the processor from who is asked.
    const file = `/proc/${await scene.pid(asking?.id ?? '')}/root/answers`;
    const answers = async (): Promise<readonly string[]> =>
      (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
    await scene.until('the client is answered', answers, (lines) => lines.includes('1'));
    const from = (await answers()).length;

    const engine = await scene.record(appId);
    await scene.put(name, spec('2'));
    await meanwhile(appId);
    await scene.untilReady(name, { withinMs: 60_000 });
    await scene.until('the client meets the new version', answers, (lines) => lines.at(-1) === '2');
    const lines = (await answers()).slice(from);
    engine.stop();
    const lives = engine.seen.filter((one) => /^container (create|die)$/.test(one));
    const { update: done } = (await statusOf(name)) ?? {};
    assert.ok(done);
    return { appId, lines, lives, done, steps: done.steps.map(({ step }) => step) };
  }

  // The new container is created before the old one is stopped, so that what the engine refuses stops nothing.
  it('download-then-kill: the service is down between the two containers, and the status says for how long', async () => {
    const { lives, done } = await update(`${scene.prefix}-kill`, {});
    assert.equal(done.strategy, 'download-then-kill');
    assert.ok((done.downtimeMs ?? 0) > 0);
    assert.deepEqual(lives, ['container create', 'container die']);
  });

  it('rolling: whoever asks by name is answered all the time, and by a container that is healthy', async () => {
    const { lines, done, steps } = await update(`${scene.prefix}-rolling`, {
      updateStrategy: 'rolling',
      healthcheck: { test: 'wget -q -O /dev/null http://localhost/', interval: '250ms' },
    });
    assert.equal(done.strategy, 'rolling');
    assert.equal(done.downtimeMs, 0);
    assert.deepEqual(steps, [
      'Created',
      'Started',
      'Healthy',
      'Introduced',
      'Stopping',
      'Stopped',
      'Removed',
      'Complete',
    ]);
    assert.deepEqual(
      lines.filter((line) => line !== '1' && line !== '2'),
      [],
    );
  });

  it('hand-over: both run until the new container says so in its file', async () => {
    const labels = { 'io.balena.update.strategy': 'hand-over' };
    const name = `${scene.prefix}-handover`;
    const { done, steps } = await update(name, { labels }, async (appId) => {
      await scene.untilReason('Service', `${name}.web`, 'AwaitingHandover');
      const both = (await scene.containers(appId)).filter(({ service }) => service === 'web');
      assert.deepEqual(
        both.map(({ state }) => state),
        ['running', 'running'],
      );
      const state = await scene.agent.get<{ containers: { serviceName: string; status: string }[] }>(
        '/v2/state/status',
      );
      const words = state.containers.filter(({ serviceName }) => serviceName === 'web').map(({ status }) => status);
      assert.deepEqual(words, ['Awaiting handover', 'Handing over']);
      const young = both.find(({ env }) => env.includes('VERSION=2'));
      const path = young?.env.find((line) => line.startsWith('BALENA_SERVICE_HANDOVER_COMPLETE_PATH='))?.split('=')[1];
      assert.equal((await scene.exec(young?.id ?? '', ['touch', path ?? ''])).code, 0);
    });
    assert.equal(done.downtimeMs, 0);
    assert.deepEqual(steps, ['Created', 'Started', 'Signalled', 'Stopping', 'Stopped', 'Removed', 'Complete']);
  });

  it('hand-over: a container that never says so takes over after the timeout; what an earlier one said does not count', async () => {
    const labels = { 'io.balena.update.strategy': 'hand-over', 'io.balena.update.handover-timeout': '1500' };
    const name = `${scene.prefix}-silent`;
    const appId = scene.appId();
    await scene.put(name, { appId, services: { web: web('1', { labels }) } });
    await scene.untilReady(name);
    await writeFile(join(scene.agent.lockRoot, String(appId), 'web', 'handover-complete'), '');
    await scene.put(name, { appId, services: { web: web('2', { labels }) } });
    await scene.untilReason('Service', `${name}.web`, 'AwaitingHandover');
    await scene.untilReady(name);
    const { update: done, container } = (await statusOf(name)) ?? {};
    assert.deepEqual(done?.steps.map(({ step }) => step).slice(0, 3), ['Created', 'Started', 'TimedOut']);
    const at = (step: string) => Date.parse(done?.steps.find((one) => one.step === step)?.at ?? '');
    assert.ok(at('TimedOut') - at('Started') >= 1_400, `${at('TimedOut') - at('Started')} ms`);
    const [one] = await scene.untilRunning(appId, ['web']);
    assert.ok(one?.env.includes('VERSION=2'));
    assert.equal(one?.name, container?.name);
    assert.match(one?.name ?? '', /^web_\d+_1_local$/);
  });

  it('a port of the host leaves no room for two: the default is followed, and the service says why', async () => {
    const name = `${scene.prefix}-port`;
    const { done } = await update(name, { updateStrategy: 'rolling', ports: ['18080:80'] });
    assert.equal(done.strategy, 'download-then-kill');
    const service = await scene.agent.document('Service', `${name}.web`);
    assert.ok(service);
    const condition = conditionOf(service, 'StrategyFollowed');
    assert.equal(condition?.status, 'False');
    assert.equal(condition.reason, 'PublishesPorts');
    assert.match(condition.message, /publishes port 18080 of the host; download-then-kill is followed/);
  });
});
