import assert from 'node:assert/strict';
import { leftBehind } from '../../../../controllers/service/container/left-behind.js';

const id = '3e40393ce8c42a5625a852825b2969f9a51af677b680d7becde5dda220d7156d';

describe('leftBehind', () => {
  for (const error of [
    `task ${id}: already exists`,
    `failed to create task for container: task ${id}: already exists`,
    `container "${id}": already exists`,
    'id already in use',
    `failed to start shim: mkdir /run/docker/containerd/daemon/io.containerd.runtime.v2.task/moby/${id}: file exists: unknown`,
    'OCI runtime create failed: container with given ID already exists: unknown',
    'OCI runtime create failed: container with id exists: unknown',
  ]) {
    it(`knows a task by "${error}"`, () => assert.deepEqual(leftBehind({ id, error, name: 'web' }), { is: 'task' }));
  }
  it('knows an endpoint of the same name', () =>
    assert.deepEqual(
      leftBehind({ id, error: 'endpoint with name web already exists in network u_default', name: 'web' }),
      {
        is: 'endpoint',
        network: 'u_default',
      },
    ));
  for (const error of [
    '',
    'endpoint with name other already exists in network u_default',
    'driver failed programming external connectivity: Bind for 0.0.0.0:80 failed: port is already allocated',
    'listen tcp 0.0.0.0:80: bind: address already in use',
    'The container name "/web" is already in use by container "abc"',
    'network with name u_default already exists',
    `task ${'a'.repeat(64)}: already exists`,
  ]) {
    it(`takes "${error}" for another failure`, () => assert.equal(leftBehind({ id, error, name: 'web' }), undefined));
  }
});
