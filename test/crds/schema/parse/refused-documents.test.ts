import assert from 'node:assert/strict';
import { parseDocument } from '../../../../crds/schema/parse.js';
import { app, document, issuesOf, service } from './a-document.js';

describe('parseDocument', () => {
  describe('refuses', () => {
    const at = 'spec.services.web';
    const cases: readonly { it: string; value: unknown; want: readonly string[] }[] = [
      {
        it: 'nothing',
        value: null,
        want: [': Expected a document, a map with apiVersion, kind, metadata and spec, found nothing (null)'],
      },
      {
        it: 'a list',
        value: [],
        want: [': Expected a document, a map with apiVersion, kind, metadata and spec, found a list'],
      },
      {
        it: 'an empty map',
        value: {},
        want: [
          'apiVersion: Missing: supercargo.io/v1',
          'kind: Missing: one of App, Image, Network, Volume, Service, HostConfig or GitSource',
          'metadata: Missing: a map with a name',
        ],
      },
      {
        it: 'another version',
        value: { ...app({}), apiVersion: 'supercargo.io/v2' },
        want: ['apiVersion: Expected supercargo.io/v1, found "supercargo.io/v2"'],
      },
      {
        it: 'an unknown kind that is near a known one',
        value: document('app', 'x', {}),
        want: [
          'kind: Unknown kind "app"; did you mean "App"? Known are App, Image, Network, Volume, Service, HostConfig and GitSource',
        ],
      },
      {
        it: 'a foreign kind',
        value: document('Deployment', 'x', {}),
        want: [
          'kind: Unknown kind "Deployment". Known are App, Image, Network, Volume, Service, HostConfig and GitSource',
        ],
      },
      {
        it: 'a kind that every object has as a method',
        value: document('constructor', 'x', {}),
        want: [
          'kind: Unknown kind "constructor". Known are App, Image, Network, Volume, Service, HostConfig and GitSource',
        ],
      },
      { it: 'a missing spec', value: document('App', 'x', undefined), want: ['spec: Missing: a map'] },
      { it: 'a spec of text', value: document('App', 'x', 'web'), want: ['spec: Expected a map, found "web"'] },
      { it: 'a missing name', value: app({}, { metadata: {} }), want: ['metadata.name: Missing: a string (name)'] },
      {
        it: 'a name that is a number',
        value: app({}, { metadata: { name: 3 } }),
        want: ['metadata.name: Expected a string (name), found the number 3; put it in quotes'],
      },
      {
        it: 'a name that is a path',
        value: app({}, { metadata: { name: '../x' } }),
        want: [
          'metadata.name: "../x" is not a name: letters, digits, _ . - are allowed, and a letter or digit comes first',
        ],
      },
      {
        it: 'an App whose name leaves no room for its children',
        value: document('App', 'x'.repeat(201), {}),
        want: ['metadata.name: Too long for an App, whose name begins others: 201 characters, at most 200'],
      },
      {
        it: 'unknown metadata, and labels that are no text',
        value: app({}, { metadata: { name: 'x', nmae: 'y', namespace: 'z', labels: { a: 1 }, annotations: [] } }),
        want: [
          'metadata.nmae: Unknown field "nmae"; did you mean "name"?',
          'metadata.namespace: No kind has namespaces here; leave it out',
          'metadata.labels.a: Expected a string, found the number 1; put it in quotes',
          'metadata.annotations: Expected a map of strings, found a list',
        ],
      },
      {
        it: 'fields of the spec beside it',
        value: app({}, { services: {}, colour: 1 }),
        want: [
          'services: Unknown field "services"; it belongs under spec',
          'colour: Unknown field "colour"; known are apiVersion, kind, metadata and spec',
        ],
      },
      {
        it: "a service's field in the App",
        value: app({ image: 'busybox', servces: {} }),
        want: [
          'spec.image: Unknown field "image"; it belongs to a service, under spec.services.<name>',
          'spec.servces: Unknown field "servces"; did you mean "services"?',
        ],
      },
      {
        it: 'unknown fields of a service, each with what was meant',
        value: service({ helthcheck: {}, networkMode: 'host', 'mem-limit': 1, port: [], container_name: 'x', zzz: 1 }),
        want: [
          `${at}.helthcheck: Unknown field "helthcheck"; did you mean "healthcheck"?`,
          `${at}.networkMode: Unknown field "networkMode"; did you mean "network_mode"?`,
          `${at}.mem-limit: Unknown field "mem-limit"; did you mean "mem_limit"?`,
          `${at}.port: Unknown field "port"; did you mean "ports"?`,
          `${at}.container_name: Unknown field "container_name"; Compose has it, but it is not supported here: write containerName; services of the app reach it by the name of the service in any case`,
          `${at}.zzz: Unknown field "zzz"`,
        ],
      },
      {
        it: 'a field called like a method or a prototype',
        value: service(JSON.parse('{"constructor": 1, "__proto__": {"image": 1}}')),
        want: [`${at}.constructor: Unknown field "constructor"`, `${at}.__proto__: Unknown field "__proto__"`],
      },
      {
        it: 'a service without an image',
        value: app({ services: { web: {} } }),
        want: [`${at}.image: Missing: a string (an image reference such as registry.example.com/team/web:1.2)`],
      },
      {
        it: 'a service that is nothing',
        value: app({ services: { web: null } }),
        want: [`${at}: Expected a map, found nothing (null); leave it out instead`],
      },
      {
        it: 'services as a list',
        value: app({ services: ['web'] }),
        want: ['spec.services: Expected a map, found a list'],
      },
      {
        it: 'names that Docker would refuse',
        value: app({ services: { 'a b': { image: 'x' } }, volumes: { '.x': null }, networks: { 'é"': {} } }),
        want: [
          'spec.services["a b"]: Not a name: letters, digits, _ . - are allowed, and a letter or digit comes first',
          'spec.volumes[".x"]: Not a name: letters, digits, _ . - are allowed, and a letter or digit comes first',
          'spec.networks["é\\""]: Not a name: letters, digits, _ . - are allowed, and a letter or digit comes first',
        ],
      },
      {
        it: 'a value near one of a set',
        value: app({ volumeReclaim: 'retain' }),
        want: ['spec.volumeReclaim: Expected Retain or Delete, found "retain"; did you mean "Retain"?'],
      },
      {
        it: 'a number out of bounds',
        value: app({ appId: 0 }),
        want: ['spec.appId: Expected at least 1, found the number 0'],
      },
      {
        it: 'a fraction',
        value: app({ appId: 1.5 }),
        want: ['spec.appId: Expected a whole number, found the number 1.5'],
      },
      {
        it: 'HostConfig under another name',
        value: document('HostConfig', 'devise', {}),
        want: ['metadata.name: A HostConfig is named device or network; did you mean "device"?'],
      },
      {
        it: "the other HostConfig's fields",
        value: document('HostConfig', 'device', { hostname: 'x' }),
        want: ['spec.hostname: Belongs to the HostConfig network'],
      },
      ...['a b', 'a\nb', '-a', 'a-', 'a..b', 'a.', 'ü', 'a_b', 'x'.repeat(64)].map((hostname) => ({
        it: `a host name that no system takes, ${JSON.stringify(hostname)}`,
        value: document('HostConfig', 'network', { hostname }),
        want: [
          'spec.hostname: Not a host name: letters, digits and hyphens, in parts of at most 63 between dots, at most 64 together',
        ],
      })),
      { it: 'what is no data', value: app({ name: () => 1 }), want: ['spec.name: A function is not data'] },
      {
        it: 'volumes of one letter, which only another driver makes',
        value: app({
          volumes: {
            a: { name: 'a' },
            b: { name: 'b', driver: 'x' },
            c: { name: 'c', external: true },
            d: { name: 'dd' },
          },
          networks: { a: { name: 'a' } },
        }),
        want: ['spec.volumes.a.name: Too short: the engine makes no volume a; two letters at least'],
      },
      {
        it: 'a Volume of one letter',
        value: document('Volume', 'x.a', { app: 'x', appId: 1, appUuid: 'u', volumeName: 'a', reclaim: 'Retain' }),
        want: ['spec.volumeName: Too short: the engine makes no volume a; two letters at least'],
      },
      {
        it: 'infinity',
        value: app({ appId: Number.POSITIVE_INFINITY }),
        want: ['spec.appId: Infinity is not a number that can be kept'],
      },
      {
        it: 'a date',
        value: app({ name: new Date(0) }),
        want: ['spec.name: Expected text, a number, true or false, a list or a map, found a Date'],
      },
    ];
    for (const { it: name, value, want } of cases) it(name, () => assert.deepEqual(issuesOf(value), want));
  });

  describe('names the document that it refuses', () => {
    const cases: [value: unknown, kind: string | undefined, name: string | undefined][] = [
      [app({ image: 'x' }), 'App', 'hello'],
      [document('Deployment', 'x', {}), undefined, 'x'],
      [app({}, { metadata: { name: '../x' } }), 'App', undefined],
      ['x', undefined, undefined],
    ];
    for (const [value, kind, name] of cases) {
      it(`${kind} ${name}`, () => {
        const parsed = parseDocument(value);
        assert.ok(!parsed.ok);
        assert.deepEqual([parsed.kind, parsed.name], [kind, name]);
      });
    }
  });
});
