import assert from 'node:assert/strict';
import type { SeenNetwork } from '../../../../controllers/host/network/host-network.js';
import { renderRedsocks } from '../../../../controllers/host/network/redsocks.js';
import {
  isProxyFile,
  type NetworkFacts,
  type NetworkStep,
  planSettings,
} from '../../../../controllers/host-config/network/plan.js';
import { attempt, TerminalError } from '../../../../controllers/runtime/outcome.js';
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
    /** What the files are to say. */
    readonly writes?: readonly string[];
    /** Why it cannot be done. */
    readonly says?: string;
  }[] = [
    { it: 'leaves everything that nobody speaks of', spec: {}, want: 'settled' },
    {
      it: 'leaves files that nobody speaks of, full or empty',
      spec: { hostname: 'new' },
      seen: balena({ configured: 'new', redsocks: PROXY_FILE, noProxy: '' }),
      want: 'settled',
    },
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
      it: 'leaves a running system that has that name',
      spec: { hostname: 'new' },
      seen: plain({ hostname: 'new', running: 'new' }),
      facts: { canRename: true },
      want: 'settled',
    },
    {
      it: 'leaves a running system of which nobody knows the name',
      spec: { hostname: 'new' },
      seen: plain({ hostname: 'new' }),
      facts: { canRename: true },
      want: 'settled',
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
      says: 'spec.hostname: Not a host name: letters, digits and hyphens, in parts of at most 63 between dots, at most 64 together',
    },
    {
      it: 'refuses on balenaOS too what no system can be called, in a document from before it was refused',
      spec: { hostname: 'a_b' },
      want: 'stalled: InvalidSpec',
    },
    { it: 'refuses lines in a host name', spec: { hostname: 'a\nb' }, want: 'stalled: InvalidSpec' },
    {
      it: 'writes a proxy and its exceptions, before the name',
      spec: { hostname: 'new', proxy: { ...PROXY, noProxy: ['a'] } },
      want: 'write-redsocks (there was no redsocks.conf); write-no-proxy (there was no no_proxy); progressing: Writing',
      writes: [PROXY_FILE, 'a'],
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
      writes: [''],
    },
    {
      it: 'removes an empty file, too',
      spec: { proxy: {} },
      seen: balena({ redsocks: '' }),
      want: 'write-redsocks (redsocks.conf is not wanted); progressing: Writing',
    },
    {
      it: 'removes a proxy that is no more than a name server and a list',
      spec: { proxy: { dns: true, noProxy: ['a'] } },
      seen: balena({ redsocks: PROXY_FILE, noProxy: 'a' }),
      want: 'write-redsocks (redsocks.conf is not wanted); progressing: Writing',
    },
    {
      it: 'ignores what belongs to the redirector itself, and what has no value',
      spec: { proxy: { local_ip: ['x'], local_port: 1, login: null, extra: undefined, noProxy: ['a'] } as never },
      seen: balena({ redsocks: PROXY_FILE, noProxy: 'a' }),
      want: 'settled',
    },
    {
      it: 'writes the name server behind the proxy',
      spec: { proxy: { ...PROXY, dns: '10.0.0.2:5353' } },
      want: 'write-redsocks (there was no redsocks.conf); progressing: Writing',
      writes: [renderRedsocks({ fields: PROXY, dns: '10.0.0.2:5353' })],
    },
    {
      it: 'writes a well-known one for true',
      spec: { proxy: { ...PROXY, dns: true } },
      want: 'write-redsocks (there was no redsocks.conf); progressing: Writing',
      writes: [renderRedsocks({ fields: PROXY, dns: '8.8.8.8:53' })],
    },
    {
      it: 'writes none for false',
      spec: { proxy: { ...PROXY, dns: false } },
      seen: balena({ redsocks: PROXY_FILE }),
      want: 'settled',
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
      says: 'This host has no boot partition of balenaOS, so nothing on it would read proxy settings; take proxy out of the document',
    },
    {
      it: 'says so of a list alone, too',
      spec: { proxy: { noProxy: ['a'] } },
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
      says: 'spec.proxy.ip: Expected one word without blanks, quotes, braces and semicolons',
    },
    {
      it: 'refuses a list as a value',
      spec: { proxy: { ...PROXY, extra: [] } },
      want: 'stalled: InvalidSpec',
      says: 'spec.proxy.extra: Expected a text or a number',
    },
    {
      it: 'refuses lines in the first exception',
      spec: { proxy: { noProxy: ['a\nb'] } },
      want: 'stalled: InvalidSpec',
      says: 'spec.proxy.noProxy[0]: Expected one line',
    },
    {
      it: 'refuses lines in an exception',
      spec: { proxy: { noProxy: ['a', 'a\nb'] } },
      want: 'stalled: InvalidSpec',
      says: 'spec.proxy.noProxy[1]: Expected one line',
    },
    ...['junk', 'a b:53', '10.0.0.2:53x', ':53', 'a:'].map((dns) => ({
      it: `refuses the name server "${dns}", which is none`,
      spec: { proxy: { ...PROXY, dns } },
      want: 'stalled: InvalidSpec',
      says: 'spec.proxy.dns: Expected address:port, true or false',
    })),
  ];
  for (const { it: what, spec, seen = balena(), facts = {}, want, writes, says } of cases) {
    it(what, () => {
      const plan = () =>
        planSettings(spec, { seen, uuid: '3fa91c07e2', restartDue: false, canRename: false, ...facts });
      assert.equal(planText(plan), want);
      const planned = attempt(plan);
      if (planned instanceof TerminalError) assert.equal(planned.message, says ?? planned.message);
      else if (writes)
        assert.deepEqual(
          planned.steps.flatMap((step) => ('text' in step ? [step.text] : [])),
          writes,
        );
    });
  }

  it('restarts services after the files that they read', () => {
    const steps: readonly NetworkStep['do'][] = ['write-redsocks', 'write-no-proxy', 'configure-hostname', 'rename'];
    const files = steps.filter((step) => isProxyFile({ do: step, text: '', hostname: '', because: '' } as NetworkStep));
    assert.deepEqual(files, ['write-redsocks', 'write-no-proxy']);
  });
});
