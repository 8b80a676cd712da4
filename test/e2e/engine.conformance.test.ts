import { randomBytes } from 'node:crypto';
import { describeEngine } from '../controllers/engine/conformance/conformance.js';
import { useEngine, useRegistry } from '../setup/docker.js';
import { until } from '../setup/until.js';

describeEngine('a real engine', async () => {
  const prefix = `conformance-${randomBytes(4).toString('hex')}`;
  const docker = await useEngine();
  const registry = await useRegistry();
  const image = `${prefix}:1`;
  await docker.makeImage(image);
  const { signal } = new AbortController();
  let served = 0;
  return {
    engine: docker.engine,
    image,
    async pullable() {
      served += 1;
      const reference = `${registry.address}/${prefix}/app:${served}`;
      await docker.makeImage(reference, { labels: { number: String(served) } });
      await docker.push(reference);
      await docker.engine.removeImage(reference, signal);
      return reference;
    },
    tag: docker.tag,
    async kill(container) {
      await docker.request({ method: 'POST', path: `/containers/${container}/kill` });
    },
    async gaveUp(container) {
      await until(
        `${container} has ended for good`,
        () => docker.engine.inspectContainer(container, signal),
        (seen) => seen?.state === 'exited',
      );
    },
    async pause(container) {
      await docker.request({ method: 'POST', path: `/containers/${container}/pause` });
    },
    async printed(container) {
      await until(
        `the engine has both lines of ${container}`,
        async () => {
          const lines: string[] = [];
          for await (const { message } of docker.engine.pastLogs(container, {}, signal)) lines.push(message);
          return lines.length;
        },
        (count) => count === 2,
      );
    },
    async close() {
      await docker.engine.removeImage(image, signal);
      await registry.close();
      await docker.close();
    },
  };
});
