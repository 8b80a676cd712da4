import { API_VERSION, descriptorOf, GROUP, KINDS, VERSION } from '../../../crds/model/kinds.js';

const version = { groupVersion: API_VERSION, version: VERSION };
const group = { name: GROUP, versions: [version], preferredVersion: version };

/** The answer of `GET /apis`. */
export const groupList = { kind: 'APIGroupList', apiVersion: 'v1', groups: [group] };

/** The answer of `GET /apis/supercargo.io`. */
export const groupView = { kind: 'APIGroup', apiVersion: 'v1', ...group };

/** The answer of `GET /apis/supercargo.io/v1`: the resources and their verbs. */
export const resourceList = {
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion: API_VERSION,
  resources: [
    ...KINDS.flatMap((kind) => {
      const { singular, plural, shortNames, categories, requests, readOnly } = descriptorOf(kind);
      const common = { singularName: singular, namespaced: false, kind };
      return [
        {
          name: plural,
          ...common,
          verbs: readOnly ? ['get', 'list', 'watch'] : ['create', 'delete', 'get', 'list', 'update', 'watch'],
          shortNames,
          categories,
        },
        { name: `${plural}/status`, ...common, singularName: '', verbs: ['get'] },
        ...(requests.length === 0
          ? []
          : [{ name: `${plural}/requests`, ...common, singularName: '', kind: 'Request', verbs: ['create'] }]),
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
