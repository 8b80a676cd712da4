import type { MemoryDocker } from '../../controllers/engine/simulated/memory-docker.js';
import { COMPOSE } from '../../crds/model/compose.js';
import type { Declared } from '../../crds/model/kinds.js';
import type { AppSpec } from '../../crds/model/types.js';
import { declareApp } from './declared.js';

/** Services of a project as docker compose has made them; what is left out is as Docker has it. */
export interface TheirService {
  readonly name: string;
  readonly image?: string;
  readonly replicas?: number;
  readonly containerName?: string;
  readonly port?: string;
  /** `shop_data:/data`, `/srv/data:/data`. */
  readonly binds?: readonly string[];
  /** Where it has a volume without a name. */
  readonly anonymous?: string;
  readonly restart?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/**
 * Has the engine what `docker compose up` makes of a project: a network, volumes, and containers that run, with names as version
 * 1 (`shop_web_1`) or 2 (`shop-web-1`) gives them. Returns the ids of the containers.
 */
export function composeUp(
  docker: MemoryDocker,
  services: readonly TheirService[],
  { project = 'shop', separator = '-' }: { readonly project?: string; readonly separator?: '-' | '_' } = {},
): readonly string[] {
  const labels = {
    'com.docker.compose.project': project,
    'com.docker.compose.project.config_files': `/srv/${project}/compose.yaml`,
  };
  if (!docker.findNetwork(`${project}_default`)) {
    const Labels = { ...labels, 'com.docker.compose.network': 'default' };
    docker.createNetwork(`${project}_default`, { Labels, Attachable: separator === '_' });
  }
  return services.flatMap(({ name, image = 'web:1', replicas = 1, ...service }) =>
    Array.from({ length: replicas }, (_, index) => {
      for (const bind of service.binds ?? []) {
        const [volume = ''] = bind.split(':');
        if (volume.startsWith('/') || docker.volume(volume)) continue;
        const key = volume.slice(project.length + 1);
        docker.createVolume(volume, { Labels: { ...labels, 'com.docker.compose.volume': key } });
      }
      const id = docker.createContainer(service.containerName ?? [project, name, index + 1].join(separator), {
        Image: image,
        Labels: {
          ...labels,
          'com.docker.compose.service': name,
          'com.docker.compose.container-number': String(index + 1),
          'com.docker.compose.oneoff': 'False',
          ...service.labels,
        },
        ...(service.anonymous === undefined ? {} : { Volumes: { [service.anonymous]: {} } }),
        HostConfig: {
          NetworkMode: `${project}_default`,
          RestartPolicy: { Name: service.restart ?? 'no' },
          Binds: [...(service.binds ?? [])],
          ...(service.port === undefined ? {} : { PortBindings: { '80/tcp': [{ HostPort: service.port }] } }),
        },
      });
      docker.startContainer(id);
      return id;
    }),
  );
}

/** The App of the same project, as the reader of Compose files makes it. */
export function composeApp(
  services: Parameters<typeof declareApp>[0],
  spec: Partial<AppSpec> = {},
  project = 'shop',
): Declared<'App'> {
  const volumes = { data: { name: `${project}_data` } };
  const app = declareApp(services, { name: project, appId: 9, uuid: project, volumes, ...spec });
  return { ...app, metadata: { ...app.metadata, annotations: { [COMPOSE.files]: 'compose.yaml' } } };
}
