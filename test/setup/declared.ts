import { API_VERSION, type Declared } from '../../crds/model/kinds.js';
import type { AppService, AppSpec } from '../../crds/model/types.js';

/** Numbers by which tests know the images of services; part of the container names. */
const IMAGE_ID = 7;

/** An App as a file would declare it: `appId` 1 and `uuid` u unless it says otherwise. */
export function declareApp(
  services: Readonly<Record<string, Partial<AppService>>>,
  { name = 'hello', ...spec }: Partial<AppSpec> & { readonly name?: string } = {},
): Declared<'App'> {
  return {
    apiVersion: API_VERSION,
    kind: 'App',
    metadata: { name },
    spec: {
      appId: 1,
      uuid: 'u',
      release: { commit: 'a', id: 1 },
      ...spec,
      services: Object.fromEntries(
        Object.entries(services).map(([service, fields]) => [
          service,
          { image: 'web:1', imageId: IMAGE_ID, ...fields },
        ]),
      ),
    },
  };
}
