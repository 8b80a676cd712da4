import { spelledOut } from './defaults.js';
import { type Difference, differences } from './differences.js';
import { shorten } from './issue.js';
import type { AnyResource, Kind } from './kinds.js';
import { isMap } from './maps.js';
import { MASK, maskedText, maskedTexts } from './masked-text.js';
import { isSecretName } from './secret-names.js';

/** So many fields are told of one object. */
const SHOWN = 20;
const VALUE_LIMIT = 120;
/** What an App fills in by itself. */
const FILLED_IN = ['app', 'appId', 'appUuid', 'appName', 'serviceId', 'imageId', 'serviceName', 'release'];
const SECTIONS: Readonly<Record<string, string>> = { Service: 'services', Network: 'networks', Volume: 'volumes' };

/** What is compared: a document, or what a Revision keeps of one. */
interface Compared {
  readonly kind: Kind;
  readonly metadata: Pick<AnyResource['metadata'], 'name' | 'origin'>;
  readonly spec: object;
}

/** The fields that differ between two versions of a document: `services.web.environment.MODE: "fast" → "safe"`. Pure. */
export function changedFields(before: Compared | undefined, after: Compared | undefined): readonly string[] {
  if (!before || !after || before.spec === after.spec) return [];
  const [was, is] = meaningOf(before, after);
  const fields = differences(was, is).map((one) => fieldText(one, placeOf(after, one.path)));
  const more = fields.length - SHOWN;
  return more > 0 ? [...fields.slice(0, SHOWN), `and ${more} more fields`] : fields;
}

/** Both specs; of services of which one means what Compose means and the other not, with what that makes of fields that are left out. */
function meaningOf({ kind, spec: before }: Compared, { spec: after }: Compared): readonly [object, object] {
  const of = ({ defaults }: Meant): string => defaults ?? 'supervisor';
  return kind !== 'Service' || of(before) === of(after) ? [before, after] : [spelledOut(before), spelledOut(after)];
}
type Meant = Parameters<typeof spelledOut>[0];

function fieldText({ path, before, after }: Difference, place: string): string {
  const isSecret = path.split(/[.[\]"]+/).some((name, index) => index > 0 && isSecretName(name));
  const shown = (value: string | undefined): string =>
    value === undefined ? '(none)' : isSecret ? MASK : shorten(JSON.stringify(masked(JSON.parse(value))), VALUE_LIMIT);
  return `${place}: ${shown(before)} → ${shown(after)}`;
}

/** The value with secrets masked, wherever in it they are: by names of members, variables, options and headers. Pure. */
function masked(value: unknown): unknown {
  if (typeof value === 'string') return maskedText(value);
  if (Array.isArray(value))
    return value.every((one) => typeof one === 'string') ? maskedTexts(value) : value.map(masked);
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, isSecretName(name) ? MASK : masked(inner)]),
  );
}

/** Where whoever wrote the document finds the field: the App, for what it is made of. */
function placeOf({ kind, metadata, spec }: Compared, path: string): string {
  const section = SECTIONS[kind];
  const [first = ''] = path.split(/[.[]/);
  if (section === undefined || !metadata.origin.startsWith('App/') || FILLED_IN.includes(first)) return path;
  const app = metadata.origin.slice('App/'.length);
  const name = 'serviceName' in spec ? spec.serviceName : metadata.name.slice(app.length + 1);
  return `${section}.${name}.${path}`;
}
