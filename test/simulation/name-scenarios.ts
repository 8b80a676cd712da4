import { declareApp } from '../setup/declared.js';
import type { Scenario } from './scenario.js';

type Options = Parameters<typeof declareApp>[1];
const host = (networks: NonNullable<NonNullable<Options>['networks']>) => declareApp({ web: {} }, { networks });
/** Another app, on the network of that one. */
const guest = (name: string) =>
  declareApp({ x: {} }, { name: 'other', appId: 2, uuid: 'o', networks: { default: { name, external: true } } });
const withData = (name?: string) =>
  declareApp({ web: { volumes: ['data:/data'] } }, { volumes: { data: name === undefined ? {} : { name } } });

/** Networks, volumes and containers that have names of their own. */
export const NAME_SCENARIOS: readonly Scenario[] = [
  {
    it: 'shares the network of one app with another that was there first',
    target: [guest('proxy'), host({ default: { name: 'proxy' } })],
    unforeseen: true,
    end: {
      containers: ['web_7_1_a running web:1 on proxy', 'x_7_1_a running web:1 on proxy'],
      networks: ['proxy'],
      images: ['web:1'],
    },
  },
  {
    it: 'moves two apps to a network of another name, and removes the one before',
    before: [host({ default: { name: 'proxy' } }), guest('proxy')],
    target: [host({ default: { name: 'edge' } }), guest('edge')],
    unforeseen: true,
    end: {
      containers: ['web_7_1_a running web:1 on edge', 'x_7_1_a running web:1 on edge'],
      networks: ['edge'],
      images: ['web:1'],
    },
  },
  {
    it: 'recreates a network that another app is on',
    before: [host({ default: { name: 'proxy' } }), guest('proxy')],
    target: [host({ default: { name: 'proxy', internal: true } }), guest('proxy')],
    unforeseen: true,
    end: {
      containers: ['web_7_1_a running web:1 on proxy', 'x_7_1_a running web:1 on proxy'],
      networks: ['proxy'],
      images: ['web:1'],
    },
  },
  {
    it: 'gives a volume another name, and keeps the data of the one before',
    before: [withData()],
    target: [withData('shop_data')],
    end: {
      containers: ['web_7_1_a running web:1 on u_default'],
      networks: ['u_default'],
      volumes: ['1_data', 'shop_data'],
      images: ['web:1'],
    },
  },
  {
    it: 'replaces a container under the name that the document gives it',
    before: [declareApp({ web: { containerName: 'shop', environment: { V: '1' } } })],
    target: [declareApp({ web: { containerName: 'shop', environment: { V: '2' } } })],
    end: {
      containers: ['shop running web:1 V=2 on u_default'],
      networks: ['u_default'],
      images: ['web:1'],
    },
  },
  {
    it: 'swaps the names of two running containers',
    before: [declareApp({ web: { containerName: 'one' }, db: { containerName: 'two' } })],
    target: [declareApp({ web: { containerName: 'two' }, db: { containerName: 'one' } })],
    alwaysRunning: ['web', 'db'],
    unforeseen: true,
    end: {
      containers: ['one running web:1 on u_default', 'two running web:1 on u_default'],
      networks: ['u_default'],
      images: ['web:1'],
    },
  },
  {
    it: 'gives a running container the name that the document says',
    before: [declareApp({ web: {} })],
    target: [declareApp({ web: { containerName: 'shop' } })],
    alwaysRunning: ['web'],
    end: {
      containers: ['shop running web:1 on u_default'],
      networks: ['u_default'],
      images: ['web:1'],
    },
  },
];
