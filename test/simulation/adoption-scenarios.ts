import assert from 'node:assert/strict';
import { isSettled, isStalled } from '../../crds/model/conditions.js';
import { keyOf } from '../../crds/model/kinds.js';
import type { AppSpec } from '../../crds/model/types.js';
import { composeApp, composeUp } from '../setup/compose-project.js';
import type { Agent, Device } from './device.js';
import type { Scenario } from './scenario.js';

/** `db` comes before `web`, which has the name that theirs has. */
const shop = (spec: Partial<AppSpec> = {}) =>
  composeApp(
    {
      web: { ports: ['8080:80'], containerName: 'web', depends_on: ['db'], environment: { V: 'ours' } },
      db: { volumes: ['data:/data'], environment: { V: 'ours' } },
    },
    spec,
  );
const up = ({ engine }: Device): void => {
  composeUp(engine.docker, [
    { name: 'web', containerName: 'web', port: '8080', restart: 'always' },
    { name: 'db', binds: ['shop_data:/data'], restart: 'unless-stopped' },
  ]);
};
/** Ours of that service are unhealthy as soon as they run. */
const ill =
  (service: string) =>
  ({ engine }: Device): void => {
    engine.after = (verb, [id]) => {
      if (verb !== 'startContainer') return;
      const started = engine.docker.findContainer(String(id));
      if (started?.options.Labels?.['io.balena.service-name'] === service)
        engine.docker.setHealth(started.id, 'unhealthy');
    };
  };
const adopt = async ({ store }: Agent): Promise<boolean> => {
  const app = store.get('App', 'shop');
  if (!app || !(isSettled(app) || isStalled(app)) || app.status?.adoption) return app?.status?.adoption !== undefined;
  if (!app.requests.adopt) await store.request(keyOf('App', 'shop'), { adopt: { by: 'ada' } });
  return false;
};
/** Somebody else's container at the port that ours wants, and theirs does not. */
const elsewhere = (device: Device): void => {
  const { docker } = device.engine;
  composeUp(docker, [{ name: 'web', port: '9000', restart: 'always' }]);
  composeUp(docker, [{ name: 'other', port: '8080' }], { project: 'other' });
};
const taken = {
  containers: ['db_7_1_a running web:1 V=ours on shop_default', 'web running web:1 V=ours on shop_default'],
  volumes: ['shop_data'],
  images: ['web:1'],
};

/** What docker compose runs, and an App takes over. */
export const ADOPTION_SCENARIOS: readonly Scenario[] = [
  {
    it: 'takes over what docker compose runs, as the document says',
    byHand: up,
    noticed: true,
    target: [shop({ adopt: true })],
    end: taken,
  },
  {
    it: 'takes over what docker compose runs, when somebody asks for it',
    byHand: up,
    noticed: true,
    target: [shop()],
    asks: adopt,
    unforeseen: true,
    end: taken,
  },
  {
    it: 'starts theirs again where ours of the first service does not come up',
    images: ill('db'),
    byHand: up,
    noticed: true,
    target: [shop({ adopt: true })],
    unforeseen: true,
    looksAgain: ['listLabelled', 'inspectContainer'],
    end: {
      containers: ['shop-db-1 running web:1 on shop_default', 'web running web:1 on shop_default'],
      volumes: ['shop_data'],
      images: ['web:1'],
      failures: ['App/shop AdoptionFailed', 'Service/shop.db AdoptionFailed', 'Service/shop.web AdoptionPending'],
    },
  },
  {
    it: 'starts theirs again, under its name, where ours of the last service does not come up',
    images: ill('web'),
    byHand: up,
    noticed: true,
    target: [shop({ adopt: true })],
    unforeseen: true,
    looksAgain: ['listLabelled', 'inspectContainer'],
    end: {
      containers: ['db_7_1_a running web:1 V=ours on shop_default', 'web running web:1 on shop_default'],
      volumes: ['shop_data'],
      images: ['web:1'],
      failures: ['App/shop AdoptionFailed', 'Service/shop.web AdoptionFailed'],
    },
  },
  {
    it: 'stops nothing of theirs where somebody else has the port of ours',
    byHand: elsewhere,
    noticed: true,
    target: [shop({ adopt: true })],
    unforeseen: true,
    looksAgain: ['listLabelled', 'inspectContainer'],
    end: {
      containers: [
        'db_7_1_a running web:1 V=ours on shop_default',
        'other-other-1 running web:1 on other_default',
        'shop-web-1 running web:1 on shop_default',
      ],
      volumes: ['shop_data'],
      images: ['web:1'],
      failures: ['App/shop AdoptionFailed', 'Service/shop.web AdoptionFailed'],
    },
    also: ({ engine }) => assert.equal(engine.docker.findContainer('shop-web-1')?.finishedAt, undefined),
  },
];
