import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { BOOT_BACKENDS, type BootBackend, type BootBackendName } from '../../../../controllers/host/boot/backend.js';
import { odmdataByte, odmdataMode } from '../../../../controllers/host/boot/odmdata.js';
import { editPowerAndFan } from '../../../../controllers/host/boot/power-and-fan.js';
import { normalizeSplash } from '../../../../controllers/host/boot/splash.js';
import { type BootValue, type DesiredValues, sameValue } from '../../../../controllers/host/boot/values.js';
import { planAddresses } from '../../../../controllers/host/network/interfaces.js';
import { dnsServer, parseRedsocks, renderRedsocks } from '../../../../controllers/host/network/redsocks.js';
import { decodeBoolean, knownConfig } from '../../../../crds/model/device-variables.js';

type Env = Readonly<Record<string, string>>;
interface Vector {
  readonly id: string;
  readonly op: string;
  readonly note?: string;
  readonly in?: unknown;
  readonly out?: unknown;
  readonly env?: Env;
  readonly current?: Env;
  readonly target?: Env;
  readonly deviceType?: string;
  readonly throws?: string;
  readonly reboot?: boolean;
}

/** Where we differ from what was recorded, on purpose: what we do instead, and why. */
const OURS: Readonly<Record<string, { readonly want: Partial<Vector>; readonly because: string }>> = {
  CT05: {
    want: { env: { HOST_CONFIG_gpu_mem: '64', HOST_CONFIG_enable_uart: '1' } },
    because: 'a line of [pi4] does not speak of every board',
  },
  CT12: { want: { out: '' }, because: 'nothing to say is no reason to write' },
  CT21: { want: { out: false }, because: 'what nobody declared is not ours to remove' },
  CT23: { want: { out: false }, because: 'compared by what the file would say, so it converges' },
  EX02: {
    want: {
      out: 'TIMEOUT 30\nDEFAULT primary\nMENU TITLE L4T boot options\nLABEL primary\n      MENU LABEL primary kernel\n      LINUX /boot/Image\n      FDT /boot/new.dtb\n      APPEND ${cbootargs} rw rootwait isolcpus=4,5\nLABEL backup\n      LINUX /boot/Image.bak\n      APPEND ${cbootargs} single',
    },
    because: 'indentation and the missing newline are not ours',
  },
  UE02: {
    want: { out: 'extra_os_cmdline=isolcpus=3 console=tty1\nresin_custom=keep me\n' },
    because: 'other options of the command line are not ours',
  },
};

const backendOf = (name: BootBackendName): BootBackend => {
  const found = BOOT_BACKENDS.find((one) => one.name === name);
  assert.ok(found);
  return found;
};
const BACKENDS: Readonly<Record<string, BootBackend>> = {
  configtxt: backendOf('config.txt'),
  extlinux: backendOf('extlinux.conf'),
  extrauenv: backendOf('extra_uEnv.txt'),
  configfs: backendOf('configfs.json'),
};

/** What variables say, by key. */
function wantedOf(backend: BootBackend, env: Env = {}): Record<string, BootValue | undefined> {
  return Object.fromEntries(
    Object.entries(env).map(([variable, text]) => {
      const key = backend.keyOf(variable);
      assert.ok(key !== undefined, variable);
      return [key, backend.parseValue(key, text)];
    }),
  );
}

const readAs = (backend: BootBackend, text: string): Env =>
  Object.fromEntries(
    Object.entries(backend.read(text)).map(([key, value]) => [backend.variableOf(key), backend.renderValue(value)]),
  );

function carryOut(vector: Vector): unknown {
  const [family = '', verb] = vector.op.split('.');
  const backend = BACKENDS[family];
  const device = { deviceType: vector.deviceType ?? '', metaVersion: undefined };
  if (backend && verb === 'read') return readAs(backend, String(vector.in));
  if (backend && verb === 'write') {
    const now = backend.read(vector.in === undefined ? undefined : String(vector.in));
    // Everything that is there was declared before, as after a first run of the Supervisor.
    const ours = Object.fromEntries(Object.keys(now).map((key) => [key, undefined]));
    const wanted = backend.required(device, { ...ours, ...wantedOf(backend, vector.env) }, now);
    return backend.edit(vector.in === undefined ? undefined : String(vector.in), wanted);
  }
  if (backend && verb === 'differs') return differs(backend, device, vector);
  return CARRY_OUT[vector.op]?.(vector);
}

function differs(backend: BootBackend, device: Parameters<BootBackend['required']>[0], vector: Vector): boolean {
  const now = wantedOf(backend, vector.current) as Record<string, BootValue>;
  const wanted: DesiredValues = backend.required(device, wantedOf(backend, vector.target), now);
  const changed = Object.keys(wanted).filter((key) => !sameValue(now[key], wanted[key]));
  for (const key of changed) {
    const refusal = backend.refusal(key);
    if (refusal !== undefined) throw new Error(refusal);
  }
  return changed.length > 0;
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const CARRY_OUT: Readonly<Record<string, (vector: Vector) => unknown>> = {
  'odmdata.mode': ({ in: bytes }) =>
    listOf(bytes).map((byte) => {
      const mode = odmdataMode([byte, byte, byte] as number[]);
      assert.equal(odmdataByte(mode), byte);
      return mode;
    }),
  'powerfan.write': ({ in: os, env, reboot }) => {
    const backend = backendOf('power and fan');
    const now = backend.read(JSON.stringify({ os }));
    const wanted: DesiredValues = {
      ...Object.fromEntries(Object.keys(now).map((key) => [key, undefined])),
      ...wantedOf(backend, env),
    };
    const changed = Object.keys(wanted).filter((key) => wanted[key] !== now[key]);
    assert.equal(changed.some(backend.needsReboot), reboot);
    return editPowerAndFan(os, wanted);
  },
  'splash.normalise': ({ in: text }) => normalizeSplash(String(text)),
  'redsocks.write': ({ in: proxy }) => {
    const { dns, ...fields } = proxy as Record<string, string | number> & { dns?: string | boolean };
    const server = dnsServer(dns);
    return renderRedsocks({ fields, ...(server === undefined ? {} : { dns: server }) });
  },
  'redsocks.read': ({ in: text }) => {
    const { fields, dns } = parseRedsocks(String(text)) ?? { fields: {} };
    return { ...fields, ...(dns === undefined ? {} : { dns }) };
  },
  'vars.strip': ({ in: written }) => knownConfig(written as Record<string, string>).config,
  'bool.decode': ({ in: values }) => listOf(values).map(decodeBoolean),
  'net.report': ({ in: names }) => {
    const address = { address: '10.0.0.1', internal: false, family: 'IPv4', netmask: '', mac: '', cidr: null } as const;
    const list = listOf(names).map(String);
    const seen = list.filter(
      (name) => planAddresses({ [name]: [{ ...address, internal: name === 'lo' }] }, []).ip.length > 0,
    );
    return seen;
  },
};

describe('the recorded vectors of a host’s configuration', () => {
  const vectors = readFileSync(new URL('vectors.jsonl', import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Vector);

  for (const vector of vectors) {
    const ours = OURS[vector.id];
    const { env, out, throws } = { ...vector, ...ours?.want };
    it(`${vector.id} ${vector.op}${vector.note ? `: ${vector.note}` : ''}${ours ? ` – ours: ${ours.because}` : ''}`, () => {
      if (throws !== undefined) return assert.throws(() => carryOut(vector), { message: throws });
      assert.deepEqual(carryOut(vector), vector.op.endsWith('.read') && out === undefined ? env : out);
    });
  }
});
