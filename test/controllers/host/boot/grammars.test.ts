import assert from 'node:assert/strict';
import { BOOT_BACKENDS, type BootBackend, type BootBackendName } from '../../../../controllers/host/boot/backend.js';
import { splitLines } from '../../../../controllers/host/boot/lines.js';
import { BootFileError, type BootValue, type BootValues, sameValue } from '../../../../controllers/host/boot/values.js';
import { SeededRandom } from '../../../simulation/seeded-random.js';

/** Files for each grammar; many more on demand. */
const FILES = Number(process.env.SUPERCARGO_FUZZ_FILES ?? 10_000);
const SEED = Number(process.env.SUPERCARGO_FUZZ_SEED ?? 5);

interface Grammar {
  readonly backend: BootBackendName;
  /** Lines of which files are made, sensible ones and junk. */
  readonly lines: readonly [string, ...string[]];
  readonly ends: readonly [string, ...string[]];
  readonly wanted: readonly (readonly [
    key: string,
    values: readonly [string | undefined, ...(string | undefined)[]],
  ])[];
  /** What makes most files good ones: stands between two parts that chance makes. */
  readonly core?: string;
  /** Whether a line may change when that key does. */
  isTouched(line: string, key: string): boolean;
}

const DTPARAMS = [
  '"i2c_arm=on","spi=on"',
  'audio=off',
  'i2c_arm=on,act_led_gpio=47',
  '"foo=1","audio=on"',
  undefined,
] as const;
const OVERLAYS = [
  'vc4-kms-v3d',
  '"w1-gpio,gpiopin=17","x"',
  'mcp2515,spi=on,interrupt=25',
  ',nameless',
  undefined,
] as const;

const GRAMMARS: readonly Grammar[] = [
  {
    backend: 'config.txt',
    lines: [
      ...[
        '# a comment',
        '',
        '  ',
        '[pi4]',
        '[all]',
        '[EDID=VSC-TD2220]',
        '[none] # nobody',
        'include extra.txt',
        'junk',
      ],
      ...[
        'gpu_mem=16',
        'gpu_mem=64',
        ' gpu_mem=1',
        'gpu_mem',
        'gpu_mem=a=b',
        'enable_uart=1 ',
        'hdmi_mode:1=87',
        '=x',
        '=',
      ],
      ...['dtparam=audio=on', 'dtparam=foo=1', 'dtparam=a=1,spi=on,b', 'dtparam=', 'dtparam=i2c_arm=on', '#dtparam=x'],
      ...[
        'dtoverlay=',
        'dtoverlay=a',
        'dtoverlay=b,p=1',
        'dtoverlay=c,spi=on',
        'dtoverlay=,x',
        'initramfs i.gz followkernel',
      ],
      ...['gpio=27=op,dl', 'gpio=5', 'device_tree_param=x', 'kernel=k.img', 'ü=ß', '\u0000', 'a\rb=c\r'],
    ] as [string, ...string[]],
    ends: ['\n', '\n', '\n', '\r\n'],
    wanted: [
      ['gpu_mem', ['64', '128', '', undefined]],
      ['hdmi_mode:1', ['87', '4', undefined]],
      ['gpio', ['5=op,dh', '"1","2"', undefined]],
      ['dtparam', DTPARAMS],
      ['dtoverlay', OVERLAYS],
    ],
    isTouched: (line, key) =>
      line.startsWith(`${key}=`) || (/^dt(?:param|overlay)$/.test(key) && /^dt(?:param|overlay)=/.test(line)),
  },
  {
    backend: 'extlinux.conf',
    core: 'DEFAULT main\nLABEL main\nAPPEND ro\n',
    lines: [
      ...[
        'DEFAULT main',
        'LABEL main',
        'LABEL other',
        'TIMEOUT 50',
        '# a b',
        '',
        '  LINUX /Image',
        '\tFDT /a.dtb',
        'fdt /b.dtb',
      ],
      ...[
        'APPEND $cbootargs ro isolcpus=1 quiet',
        '  append isolcpus isolcpus=2  root=LABEL=x',
        'APPEND',
        'MENU TITLE x y',
        'FDT',
        '=',
        'ü',
      ],
    ] as [string, ...string[]],
    ends: ['\n', '\n', '\r\n'],
    wanted: [
      ['isolcpus', ['1', '4,5', '', undefined]],
      ['fdt', ['/new.dtb', undefined]],
    ],
    isTouched: (line, key) => new RegExp(`^\\s*${key === 'fdt' ? 'fdt' : 'append'}\\b`, 'i').test(line),
  },
  {
    backend: 'extra_uEnv.txt',
    lines: [
      ...[
        'extra_os_cmdline=isolcpus=1,2 console=tty1',
        'extra_os_cmdline=',
        'extra_os_cmdline=quiet  isolcpus',
        '#extra_os_cmdline=isolcpus=3',
      ],
      ...[
        'custom_fdt_file=a.dtb',
        ' custom_fdt_file=b.dtb',
        'resin_custom=keep me',
        'resin_custom=twice',
        '',
        'junk',
        '=',
        'a=b=c',
        'ü=1',
      ],
    ] as [string, ...string[]],
    ends: ['\n', '\n', '\r\n'],
    wanted: [
      ['isolcpus', ['3', '0-1', '', undefined]],
      ['fdt', ['c.dtb', 'a.dtb', undefined]],
    ],
    isTouched: (line, key) => new RegExp(`^\\s*${key === 'fdt' ? 'custom_fdt_file' : 'extra_os_cmdline'}=`).test(line),
  },
];

describe('files of the boot partition, by chance', () => {
  for (const grammar of GRAMMARS) {
    const backend = BOOT_BACKENDS.find(({ name }) => name === grammar.backend);
    assert.ok(backend);
    it(`${grammar.backend}: ${FILES} files lose nothing that is not ours and are stable after one round`, () => {
      const random = new SeededRandom(SEED);
      let understood = 0;
      for (let at = 0; at < FILES; at += 1) {
        const core = random.chance(80) ? (grammar.core ?? '') : '';
        const text = `${core && makeText(random, grammar)}${core}${makeText(random, grammar)}`;
        const wanted = makeWanted(random, grammar, backend);
        const now = readable(backend, text);
        if (now === undefined) continue;
        understood += 1;
        check(backend, grammar, text, now, wanted);
      }
      assert.ok(understood > FILES / 20, `only ${understood} of ${FILES} files could be read`);
    }).timeout(180_000);
  }

  it('configfs.json: other members stay, whatever they are', () => {
    const backend = BOOT_BACKENDS.find(({ name }) => name === 'configfs.json');
    assert.ok(backend);
    const random = new SeededRandom(SEED);
    const junk = [
      '',
      '[]',
      'null',
      '{',
      '{"ssdt":1}',
      '{"a":{"b":[1,null]}}',
      '{"ssdt":["a"],"z":"ü"}',
      '{"ssdt":[]}',
      '7',
    ] as const;
    for (let at = 0; at < FILES; at += 1) {
      const text = random.pick(junk);
      const ssdt = random.pick([['a'], ['b', 'c'], undefined]);
      const edited = backend.edit(text, { ssdt });
      assert.deepEqual(backend.read(edited), ssdt ? { ssdt } : {});
      assert.equal(backend.edit(edited, { ssdt }), edited);
      assert.deepEqual(othersOf(edited), othersOf(text));
    }
  });
});

const othersOf = (text: string): unknown => {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
    return Object.fromEntries(Object.entries(value).filter(([name]) => name !== 'ssdt'));
  } catch {
    return {};
  }
};

function makeText(random: SeededRandom, { lines, ends }: Grammar): string {
  const count = random.below(12);
  const end = random.pick(ends);
  const text = Array.from(
    { length: count },
    () => random.pick(lines) + (random.chance(10) ? random.pick(ends) : end),
  ).join('');
  return random.chance(25) ? text.replace(/\r?\n$/, '') : text;
}

function makeWanted(
  random: SeededRandom,
  { wanted }: Grammar,
  backend: BootBackend,
): Record<string, BootValue | undefined> {
  const chosen = wanted.filter(() => random.chance(50));
  return Object.fromEntries(
    chosen.map(([key, values]) => {
      const text = random.pick(values);
      return [key, text === undefined ? undefined : backend.parseValue(key, text)];
    }),
  );
}

function readable(backend: BootBackend, text: string): BootValues | undefined {
  try {
    return backend.read(text);
  } catch (error) {
    if (error instanceof BootFileError) return undefined;
    throw error;
  }
}

function check(
  backend: BootBackend,
  grammar: Grammar,
  text: string,
  now: BootValues,
  wanted: Record<string, BootValue | undefined>,
): void {
  const edited = backend.edit(text, wanted);
  const shown = JSON.stringify({ text, wanted, edited });
  const after = backend.read(edited);
  for (const [key, value] of Object.entries(wanted)) assert.ok(sameValue(after[key], value), `${key} in ${shown}`);
  for (const key of Object.keys({ ...now, ...after })) {
    if (!(key in wanted)) assert.ok(sameValue(after[key], now[key]), `${key} changed in ${shown}`);
  }
  assert.equal(backend.edit(edited, wanted), edited, `not stable: ${shown}`);
  assert.equal(backend.edit(text, now), text, `touched without need: ${shown}`);

  const changed = Object.keys(wanted).filter((key) => !sameValue(now[key], wanted[key]));
  const left = splitLines(edited).map((line) => line.text);
  let place = 0;
  for (const line of splitLines(text)) {
    if (changed.some((key) => grammar.isTouched(line.text, key))) continue;
    place = left.indexOf(line.text, place) + 1;
    assert.ok(place > 0, `lost "${line.text}": ${shown}`);
  }
}
