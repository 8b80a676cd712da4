import assert from 'node:assert/strict';
import { describeAddress, parseDockerHost } from '../../../../controllers/engine/client/docker-address.js';

describe('parseDockerHost', () => {
  const cases: [string | undefined, string][] = [
    [undefined, 'unix:///var/run/docker.sock'],
    ['', 'unix:///var/run/docker.sock'],
    ['unix://', 'unix:///var/run/docker.sock'],
    ['unix:///run/engine.sock', 'unix:///run/engine.sock'],
    ['/run/engine.sock', 'unix:///run/engine.sock'],
    ['tcp://10.0.0.5:2375', 'tcp://10.0.0.5:2375'],
    ['tcp://engine', 'tcp://engine:2375'],
    ['http://engine:80', 'tcp://engine:80'],
    ['engine:1234', 'tcp://engine:1234'],
    ['tcp://[::1]:2375', 'tcp://[::1]:2375'],
  ];
  for (const [text, want] of cases) {
    it(`reads ${text}`, () => assert.equal(describeAddress(parseDockerHost(text)), want));
  }
  for (const text of ['ssh://user@engine', 'npipe:////./pipe/docker_engine', 'tcp://', 'tcp://a b']) {
    it(`refuses ${text}`, () => assert.throws(() => parseDockerHost(text), /DOCKER_HOST is/));
  }
});
