import { MemoryEngine } from '../../../../controllers/engine/simulated/memory-engine.js';
import { describeEngine } from '../conformance/conformance.js';

describeEngine('the engine in memory', async () => {
  const engine = new MemoryEngine();
  const image = 'conformance/busybox:1';
  engine.images.add(image);
  let served = 0;
  return {
    engine,
    image,
    async pullable() {
      served += 1;
      const reference = `registry.test/conformance/app:${served}`;
      engine.images.serve(reference, { progress: [3, 40, 80] });
      return reference;
    },
    async tag(from, as) {
      engine.images.tag(from, as);
    },
    async kill(container) {
      engine.docker.exit(container, 137);
    },
    async gaveUp(container) {
      for (engine.docker.exit(container, 3); engine.seen(container)?.state === 'restarting'; ) {
        engine.docker.restartNow(container);
        engine.docker.exit(container, 3);
      }
    },
    async pause(container) {
      engine.docker.pauseContainer(container);
    },
    async printed(container) {
      engine.docker.print(container, 'one');
      engine.docker.print(container, 'two', true);
    },
    async close() {
      engine.goAway();
    },
  };
});
