import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { pathText } from '../../../crds/model/issue.js';
import { KINDS, type Kind } from '../../../crds/model/kinds.js';
import { documentSchema } from '../../../crds/schema/envelope.js';
import { fieldPathText, findField, noField, stepsOfPath } from '../../../crds/schema/field-path.js';

/** Where a path leads, as text. */
function placeOf(kind: Kind, text: string): string {
  const found = findField(documentSchema(kind), stepsOfPath(text));
  return 'schema' in found ? fieldPathText(found.path) : noField(kind, found).message;
}

describe('a path of a field', () => {
  const cases: readonly [kind: Kind, text: string, want: string][] = [
    ['App', 'apiVersion', 'apiVersion'],
    ['App', 'kind', 'kind'],
    ['App', 'metadata', 'metadata'],
    ['App', 'metadata.labels.tier', 'metadata.labels.NAME'],
    ['App', 'metadata.labels["supercargo.io/tier"]', 'metadata.labels.NAME'],
    ['App', 'metadata.source.line', 'metadata.source.line'],
    ['App', 'metadata.finalizers[0]', 'metadata.finalizers[]'],
    ['App', 'metadata.nam', 'App.metadata has no field "nam"; did you mean "name"?'],
    ['App', 'requests.restart.at', 'requests.NAME.at'],
    ['App', 'spec.services.web.ports[0]', 'spec.services.NAME.ports[]'],
    ['App', 'services.*.ports[].target', 'spec.services.NAME.ports[].target'],
    ['App', 'services.*.ports.[].target', 'spec.services.NAME.ports[].target'],
    ['App', 'services.NAME.ports[3].target', 'spec.services.NAME.ports[].target'],
    ['App', 'services.ports.target', 'spec.services.NAME.ports[].target'],
    ['App', 'services.*.ports[].x', 'App.spec.services.NAME.ports[] has no field "x"'],
    ['App', 'spec.services["a b"].image', 'spec.services.NAME.image'],
    ['App', 'spec.services["a.b"].image', 'spec.services.NAME.image'],
    ['App', 'spec.services["a\\"]b"].image', 'spec.services.NAME.image'],
    ['App', "spec.services['a.b'].image", 'spec.services.NAME.image'],
    ['App', 'services.image', 'spec.services.NAME.image'],
    ['App', 'services.image.ports[0]', 'spec.services.NAME.ports[]'],
    ['App', 'status.phase', 'status.phase'],
    ['App', 'phase', 'status.phase'],
    ['App', 'servces.web', 'App.spec has no field "servces"; did you mean "services"?'],
    ['Service', 'ports[0].target', 'spec.ports[].target'],
    ['Network', 'spec.ipam.config[0].subnet', 'spec.ipam.config[].subnet'],
  ];
  for (const [kind, text, want] of cases) {
    it(`${kind.toLowerCase()}.${text}: ${want}`, () => assert.equal(placeOf(kind, text), want));
  }

  for (const kind of KINDS) {
    it(`is found as the page of ${kind} lists it`, () => {
      const [, spec = '', status = ''] = readFileSync(`docs/reference/kinds/${kind.toLowerCase()}.md`, 'utf8').split(
        /^## /m,
      );
      for (const [part, text] of [
        ['spec', spec],
        ['status', status],
      ] as const) {
        const listed = [...text.matchAll(/^\| `([^`]+)` \|/gm)].map(([, path = '']) => path);
        assert.notEqual(listed.length, 0);
        for (const path of listed) {
          const full = fieldPathText(stepsOfPath(path)).replaceAll('*', 'NAME');
          assert.equal(placeOf(kind, `${part}.${path}`), `${part}.${full}`);
          assert.match(placeOf(kind, path), /^(?:spec|status)\./, path);
        }
      }
    });
  }

  it('is found as an issue names it', () => {
    for (const service of ['web', 'a.b', 'a b', 'a"b', "a'b", 'a[0]', 'ports', 'NAME'])
      assert.equal(
        placeOf('App', pathText(['spec', 'services', service, 'ports', 0, 'target'])),
        'spec.services.NAME.ports[].target',
      );
  });

  it('is found as it is shown', () => {
    for (const [kind, , want] of cases.filter(([, , want]) => !want.includes(' ')))
      assert.equal(placeOf(kind, want), want);
  });
});
