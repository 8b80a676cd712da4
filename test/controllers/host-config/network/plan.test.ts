import assert from 'node:assert/strict';
import type { SeenNetwork } from '../../../../controllers/host/network/host-network.js';
import { renderRedsocks } from '../../../../controllers/host/network/redsocks.js';
import { type NetworkFacts, planSettings } from '../../../../controllers/host-config/network/plan.js';
import type { HostConfigSpec } from '../../../../crds/model/types.js';
import { planText } from '../../../setup/plan-text.js';

const PROXY = { type: 'socks5', ip: '10.0.0.1', port: 1080 };
const PROXY_FILE = renderRedsocks({ fields: PROXY });
const balena = (seen: Partial<SeenNetwork> = {}): SeenNetwork => ({
  hasBoot: true,
  hostname: 'old',
  configured: undefined,
  running: undefined,
  redsocks: undefined,
  noProxy: undefined,
  ...seen,
});
const plain = (seen: Partial<SeenNetwork> = {}): SeenNetwork => ({ ...balena(), hasBoot: false, ...seen });

describe('the plan for the host’s network', () => {
  const cases: readonly {
    readonly it: string;
    readonly spec: HostConfigSpec;
    readonly seen?: SeenNetwork;
    readonly facts?: Partial<NetworkFacts>;
    readonly want: string;
  }[] = [
    { it: 'leaves everything that nobody speaks of', spec: {}, want: 'settled' },
    {
      it: 'writes a host name to config.json',
      spec: { hostname: 'new' },
      want: 'configure-hostname (the host name is not set, not "new"); progressing: Renaming',
    },
    { it: 'keeps a host name', spec: { hostname: 'new' }, seen: balena({ configured: 'new' }), want: 'settled' },
    {
      it: 'makes the default name from the uuid for an empty one',
      spec: { hostname: '' },
      seen: balena({ configured: '3fa91c0' }),
      want: 'settled',
    },
    {
      it: 'makes the default name from the uuid for null',
      spec: { hostname: null },
      seen: balena({ configured: 'x' }),
      want: 'configure-hostname (the host name is "x", not "3fa91c0"); progressing: Renaming',
    },
    {
      it: 'names a plain host',
      spec: { hostname: 'new' },
      seen: plain(),
      want: 'rename (the host name is "old", not "new"); progressing: Renaming',
    },
    {
      it: 'names the running system when that is possible',
      spec: { hostname: 'new' },
      seen: plain({ hostname: 'new', running: 'old' }),
      facts: { canRename: true },
      want: 'rename (the host name is "old", not "new"); progressing: Renaming',
    },
    {
      it: 'waits for the next boot when it is not',
      spec: { hostname: 'new' },
      seen: plain({ hostname: 'new', running: 'old' }),
      want: 'settled',
    },
    {
      it: 'refuses what is no host name on a plain host',
      spec: { hostname: 'a b' },
      seen: plain(),
      want: 'stalled: InvalidSpec',
    },
    {
      it: 'refuses on balenaOS too what no system can be called, in a document from before the door refused it',
      spec: { hostname: 'a_b' },
      want: 'stalled: InvalidSpec',
    },
    { it: 'refuses lines in a host name', spec: { hostname: 'a\nb' }, want: 'stalled: InvalidSpec' },
    {
      it: 'writes a proxy and its exceptions, before the name',
      spec: { hostname: 'new', proxy: { ...PROXY, noProxy: ['a'] } },
      want: 'write-redsocks (there was no redsocks.conf); write-no-proxy (there was no no_proxy); progressing: Writing',
    },
    {
      it: 'keeps an equal proxy, and a list that nobody speaks of',
      spec: { proxy: PROXY },
      seen: balena({ redsocks: PROXY_FILE, noProxy: 'a' }),
      want: 'settled',
    },
    {
      it: 'takes a port that is a text',
      spec: { proxy: { ...PROXY, port: '1080' } },
      seen: balena({ redsocks: PROXY_FILE }),
      want: 'settled',
    },
    {
      it: 'writes a proxy whose file was changed by somebody',
      spec: { proxy: PROXY },
      seen: balena({ redsocks: `${PROXY_FILE}// hand` }),
      want: 'write-redsocks (redsocks.conf differs); progressing: Writing',
    },
    {
      it: 'removes a proxy for {}, and keeps the list',
      spec: { proxy: {} },
      seen: balena({ redsocks: PROXY_FILE, noProxy: 'a' }),
      want: 'write-redsocks (redsocks.conf is not wanted); progressing: Writing',
    },
    { it: 'has nothing to remove for null', spec: { proxy: null }, want: 'settled' },
    { it: 'ignores a name server without a proxy', spec: { proxy: { dns: true } }, want: 'settled' },
    {
      it: 'keeps the proxy for a list alone',
      spec: { proxy: { noProxy: ['b'] } },
      seen: balena({ redsocks: PROXY_FILE, noProxy: 'a' }),
      want: 'write-no-proxy (no_proxy differs); progressing: Writing',
    },
    {
      it: 'keeps the proxy for the list that is there',
      spec: { proxy: { noProxy: ['a'] } },
      seen: balena({ redsocks: PROXY_FILE, noProxy: 'a' }),
      want: 'settled',
    },
    {
      it: 'removes an empty list',
      spec: { proxy: { noProxy: [] } },
      seen: balena({ noProxy: 'a' }),
      want: 'write-no-proxy (no_proxy is not wanted); progressing: Writing',
    },
    {
      it: 'restarts what a change left undone',
      spec: { proxy: PROXY },
      seen: balena({ redsocks: PROXY_FILE }),
      facts: { restartDue: true },
      want: 'restart-proxy (the proxy settings changed); progressing: Restarting',
    },
    {
      it: 'says that a plain host has no proxy',
      spec: { proxy: PROXY },
      seen: plain(),
      want: 'stalled: NotApplicable',
    },
    {
      it: 'names a plain host before it says so',
      spec: { proxy: PROXY, hostname: 'new' },
      seen: plain(),
      want: 'rename (the host name is "old", not "new"); progressing: Renaming',
    },
    { it: 'accepts no proxy on a plain host', spec: { proxy: {} }, seen: plain(), want: 'settled' },
    {
      it: 'writes an unknown type as it is given',
      spec: { proxy: { ...PROXY, type: 'bogus' } },
      want: 'write-redsocks (there was no redsocks.conf); progressing: Writing',
    },
    {
      it: 'refuses a value that would end its line',
      spec: { proxy: { ...PROXY, ip: 'a;\n}' } },
      want: 'stalled: InvalidSpec',
    },
    { it: 'refuses a list as a value', spec: { proxy: { ...PROXY, extra: [] } }, want: 'stalled: InvalidSpec' },
    { it: 'refuses lines in an exception', spec: { proxy: { noProxy: ['a\nb'] } }, want: 'stalled: InvalidSpec' },
    {
      it: 'refuses a name server that is none',
      spec: { proxy: { ...PROXY, dns: 'junk' } },
      want: 'stalled: InvalidSpec',
    },
  ];
  for (const { it: what, spec, seen = balena(), facts = {}, want } of cases) {
    it(what, () => {
      const text = planText(() =>
        planSettings(spec, { seen, uuid: '3fa91c07e2', restartDue: false, canRename: false, ...facts }),
      );
      assert.equal(text, want);
    });
  }
});
