import { ifActive } from '../../../crds/model/active.js';
import { configWithDefaults } from '../../../crds/model/device-variables.js';
import type { App } from '../../../crds/model/kinds.js';
import { allottedId, DEFAULT_DEVICE_NAME, DEVICE_DOCUMENT } from '../../../crds/model/names.js';
import { releaseOf } from '../../../crds/model/release.js';
import type { Reader } from '../../store/store.js';

/** What a target state says of the device itself. */
export interface TargetDevice {
  readonly uuid: string;
  /** In local mode the apps are those that were posted; otherwise those of the cloud. */
  readonly localMode: boolean;
  /** Returns the present settings of the boot files: the target as long as nobody has declared one. */
  bootConfig?(): Readonly<Record<string, string>>;
}

/**
 * Returns the present target state as `GET /v2/local/target-state` shows it, in a form that can be posted back.
 * Contains what was declared and nothing that is injected, so no keys. Pure.
 */
export function renderTargetState(store: Pick<Reader, 'get' | 'list'>, device: TargetDevice): object {
  const host = ifActive(store.get('HostConfig', DEVICE_DOCUMENT));
  const origin = device.localMode ? 'local' : 'cloud';
  const apps = store
    .list('App')
    .filter(({ metadata }) => metadata.origin === origin && metadata.deletionTimestamp === undefined)
    .map((app) => [appIdOf(app), renderApp(app)] as const);
  return {
    local: {
      name: host?.spec.name ?? DEFAULT_DEVICE_NAME,
      config: shownConfig(host?.spec.config, device),
      apps: Object.fromEntries(apps),
    },
    dependent: { apps: [], devices: [] },
  };
}

/** Returns the configuration as it is shown: declared values, else those of the boot files, and every default. Pure. */
export const shownConfig = (
  declared: Readonly<Record<string, string>> | undefined,
  device: TargetDevice,
): Record<string, string> => ({ ...(declared ? {} : device.bootConfig?.()), ...configWithDefaults(declared, device) });

/** Returns the number of an app: its own, or the one derived from its name. Pure. */
export const appIdOf = ({
  metadata,
  spec,
}: Pick<App, 'spec'> & { readonly metadata: { readonly name: string } }): number =>
  spec.appId ?? allottedId(metadata.name);

function renderApp({ metadata, spec }: App): object {
  const name = spec.name ?? metadata.name;
  const release = releaseOf(spec.release);
  if (release === null) return { name };
  const services = Object.entries(spec.services ?? {}).map(([serviceName, service]) => {
    const { image, serviceId, imageId, environment, labels, running, ...composition } = service;
    const id = serviceId ?? allottedId(`${metadata.name}/${serviceName}`);
    const rendered = {
      serviceName,
      serviceId: id,
      imageId: imageId ?? id,
      image,
      running: running ?? true,
      environment: environment ?? {},
      labels: labels ?? {},
      ...composition,
    };
    return [id, rendered] as const;
  });
  return {
    name,
    commit: release.commit,
    releaseId: release.id,
    services: Object.fromEntries(services),
    volumes: membersOf(spec.volumes),
    networks: membersOf(spec.networks),
  };
}

const membersOf = (members: Readonly<Record<string, object | null>> | undefined): object =>
  Object.fromEntries(Object.entries(members ?? {}).map(([name, member]) => [name, member ?? {}]));
