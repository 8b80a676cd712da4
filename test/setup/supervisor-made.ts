import type { ContainerOptions, NetworkOptions, VolumeOptions } from '../../controllers/engine/engine.js';

/** An app as a Supervisor knows it. */
export interface SupervisedApp {
  readonly appId: number;
  readonly uuid: string;
  readonly release: { readonly id: number; readonly commit: string };
  readonly services: Readonly<
    Record<string, { readonly serviceId: number; readonly imageId: number; readonly volumes?: readonly string[] }>
  >;
  readonly volumes: readonly string[];
}

/** What Docker is asked to make. */
export interface SupervisorMade {
  readonly networks: readonly { readonly name: string; readonly options: NetworkOptions }[];
  readonly volumes: readonly { readonly name: string; readonly options: VolumeOptions }[];
  readonly containers: readonly { readonly name: string; readonly options: ContainerOptions }[];
}

/**
 * The objects of an app as balena Supervisor 19.0.5 makes them: names, labels and create options, and nothing of ours.
 * (docs/reference/composition.md §1 to §4; written out here rather than computed by what is to be tested.) Pure.
 */
export function supervisorMade(
  { appId, uuid, release, services, volumes }: SupervisedApp,
  image: string,
  { lockRoot = '/tmp/balena-supervisor/services', command = ['sleep', '1000000'] } = {},
): SupervisorMade {
  return {
    networks: [
      {
        name: `${uuid}_default`,
        options: {
          Driver: 'bridge',
          Options: {},
          IPAM: { Driver: 'default', Config: [], Options: {} },
          EnableIPv6: false,
          Internal: false,
          ConfigOnly: false,
          Labels: { 'io.balena.supervised': 'true', 'io.balena.app-id': String(appId) },
        },
      },
    ],
    volumes: volumes.map((name) => ({
      name: `${appId}_${name}`,
      options: {
        Driver: 'local',
        DriverOpts: {},
        Labels: { 'io.balena.supervised': 'true', 'io.balena.app-uuid': uuid },
      },
    })),
    containers: Object.entries(services).map(([service, { serviceId, imageId, volumes: mounted = [] }]) => ({
      name: `${service}_${imageId}_${release.id}_${release.commit}`,
      options: {
        Image: image,
        Cmd: [...command],
        Entrypoint: [],
        Tty: true,
        StopSignal: 'SIGKILL',
        Env: [
          'BALENA=1',
          'RESIN=1',
          'USER=root',
          `BALENA_APP_ID=${appId}`,
          `BALENA_APP_UUID=${uuid}`,
          `BALENA_SERVICE_NAME=${service}`,
          'BALENA_APP_LOCK_PATH=/tmp/balena/updates.lock',
        ],
        Labels: {
          'io.balena.supervised': 'true',
          'io.balena.app-id': String(appId),
          'io.balena.app-uuid': uuid,
          'io.balena.service-id': String(serviceId),
          'io.balena.service-name': service,
        },
        Healthcheck: { Test: ['NONE'] },
        HostConfig: {
          NetworkMode: `${uuid}_default`,
          RestartPolicy: { Name: 'always', MaximumRetryCount: 0 },
          Binds: [
            `${lockRoot}/${appId}/${service}:/tmp/resin`,
            `${lockRoot}/${appId}/${service}:/tmp/balena`,
            ...mounted.map((one) => `${appId}_${one}`),
          ],
          ShmSize: 64 * 1024 * 1024,
          IpcMode: 'shareable',
        },
        NetworkingConfig: { EndpointsConfig: { [`${uuid}_default`]: { IPAMConfig: {}, Aliases: [service] } } },
      },
    })),
  };
}
