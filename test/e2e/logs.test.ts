import assert from 'node:assert/strict';
import { Scene } from '../setup/scene.js';

interface Line {
  readonly message: string;
  readonly isSystem?: boolean;
  readonly isStdErr?: boolean;
  readonly serviceName?: string;
  readonly serviceId?: number;
  readonly timestamp?: number;
}

describe('/v2/local/logs', () => {
  let scene: Scene;
  before(async () => {
    scene = await Scene.open();
  });
  after(() => scene?.close());

  it('streams what containers print and what the agent does, line by line', async () => {
    const name = `${scene.prefix}-logs`;
    const appId = scene.appId();
    const spec = (word: string) => ({
      appId,
      services: {
        main: scene.service({
          serviceId: 77,
          tty: false, // a terminal has one stream for both
          command: ['sh', '-c', `echo ${word} out; echo ${word} err >&2; exec sleep 1000000`],
        }),
      },
    });
    const stream = await scene.agent.stream('/v2/local/logs');
    assert.equal(stream.status, 200);
    const lines = (): Line[] => stream.lines.map((line) => JSON.parse(line) as Line);
    await scene.until('the first line', lines, (seen) => seen.length > 0);
    assert.deepEqual(lines()[0], { message: 'Streaming logs', isSystem: true });

    await scene.put(name, spec('first'));
    const both = (word: string) =>
      scene.until(
        `both lines of ${word}`,
        () => lines().filter(({ serviceName, message }) => serviceName === 'main' && message.startsWith(word)),
        (seen) => seen.length === 2,
      );
    const printed = [...(await both('first'))].sort((a, b) => Number(a.isStdErr) - Number(b.isStdErr));
    assert.deepEqual(
      printed.map(({ timestamp: _, ...rest }) => rest),
      [
        { serviceName: 'main', message: 'first out', isStdErr: false, serviceId: 77 },
        { serviceName: 'main', message: 'first err', isStdErr: true, serviceId: 77 },
      ],
    );
    const text = stream.lines.find((line) => line.includes('first out')) ?? '';
    assert.match(
      text,
      /^\{"serviceName":"main","message":"first out","isStdErr":false,"timestamp":\d+,"serviceId":77\}$/,
    );
    assert.ok(printed.every(({ timestamp }) => Math.abs(Date.now() - (timestamp ?? 0)) < 60_000));

    await scene.untilReady(name);
    await scene.put(name, spec('second'));
    await both('second');
    await scene.untilReady(name);
    const phrases = ['Taking update locks', 'Killing service', 'Killed service', 'Installing service'];
    const system = await scene.until(
      'the steps of the replacement',
      () => lines().flatMap(({ isSystem, message }) => (isSystem ? [message] : [])),
      (seen) => seen.filter((message) => message.startsWith('Started service')).length === 2,
    );
    const second = system.slice(system.findIndex((message) => message.startsWith('Started service')) + 1);
    const order = phrases.map((phrase) => second.findIndex((message) => message.startsWith(phrase)));
    assert.ok(!order.includes(-1), second.join('\n'));
    assert.deepEqual(
      order,
      [...order].sort((a, b) => a - b),
      second.join('\n'),
    );
    stream.close();
  });

  it('ends with the agent, which does not wait for its listeners', async () => {
    const stream = await scene.agent.stream('/v2/local/logs');
    await scene.until(
      'the first line',
      () => stream.lines.length,
      (count) => count > 0,
    );
    const askedMs = Date.now();
    assert.equal(await scene.agent.stop(), 0);
    assert.ok(Date.now() - askedMs < 5_000);
    await scene.agent.start();
  });
});
