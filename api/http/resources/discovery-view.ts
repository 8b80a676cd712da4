import { API_VERSION, GROUP, KINDS, type Kind, PLURALS, VERSION } from '../../../crds/model/kinds.js';
import { REQUESTS_OF } from '../../../crds/model/requests.js';

/** As in `crds/*.yaml`; a test compares them. */
const SHORT_NAMES: Readonly<Record<Kind, string>> = {
  App: 'scapp',
  Image: 'scimg',
  Network: 'scnet',
  Volume: 'scvol',
  Service: 'scsvc',
  HostConfig: 'schost',
  GitSource: 'scgit',
};

const version = { groupVersion: API_VERSION, version: VERSION };
const group = { name: GROUP, versions: [version], preferredVersion: version };

/** `GET /apis`. */
export const groupList = { kind: 'APIGroupList', apiVersion: 'v1', groups: [group] };

/** `GET /apis/supercargo.io`. */
export const groupView = { kind: 'APIGroup', apiVersion: 'v1', ...group };

/** `GET /apis/supercargo.io/v1`: what is served, and what may be done with it. */
export const resourceList = {
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion: API_VERSION,
  resources: [
    ...KINDS.flatMap((kind) => {
      const common = { singularName: kind.toLowerCase(), namespaced: false, kind };
      return [
        {
          name: PLURALS[kind],
          ...common,
          verbs: ['create', 'delete', 'get', 'list', 'update', 'watch'],
          shortNames: [SHORT_NAMES[kind]],
          categories: ['supercargo'],
        },
        { name: `${PLURALS[kind]}/status`, ...common, singularName: '', verbs: ['get'] },
        ...(REQUESTS_OF[kind] === undefined
          ? []
          : [{ name: `${PLURALS[kind]}/requests`, ...common, singularName: '', kind: 'Request', verbs: ['create'] }]),
      ];
    }),
    { name: 'apps/log', singularName: '', namespaced: false, kind: 'App', verbs: ['get'] },
    { name: 'services/log', singularName: '', namespaced: false, kind: 'Service', verbs: ['get'] },
    { name: 'stats', singularName: '', namespaced: false, kind: 'ServiceStats', verbs: ['list'] },
    {
      name: 'orphanedvolumes',
      singularName: 'orphanedvolume',
      namespaced: false,
      kind: 'OrphanedVolume',
      verbs: ['delete', 'list'],
    },
    { name: 'device', singularName: 'device', namespaced: false, kind: 'Device', verbs: ['get'] },
    { name: 'events', singularName: 'event', namespaced: false, kind: 'Event', verbs: ['get', 'list', 'watch'] },
    { name: 'problems', singularName: 'problem', namespaced: false, kind: 'Problem', verbs: ['get', 'list'] },
  ],
};
