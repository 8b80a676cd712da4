/** A little less than a MiB: what is larger is refused unread by some entrances. */
export const BYTES = 1024 * 1024 - 500;

export const fill = (unit: string, bytes = BYTES): string => unit.repeat(Math.floor(bytes / unit.length));
/** So many pieces, each another one, and no more than a MiB of them. */
export function pieces(make: (at: number) => string, most = Number.POSITIVE_INFINITY): string {
  const made: string[] = [];
  for (let at = 0, bytes = 0; bytes < BYTES - 100 && at < most; at += 1) {
    const piece = make(at);
    made.push(piece);
    bytes += piece.length;
  }
  return made.join('');
}

const app = (spec: string): string =>
  `{"apiVersion":"supercargo.io/v1","kind":"App","metadata":{"name":"a"},"spec":{${spec}}}`;
const service = (fields: string): string => app(`"services":{"a":{"image":"a",${fields}}}`);
const target = (apps: string): string => `{"local":{"apps":{${apps}}}}`;
const posted = (fields: string): string =>
  target(
    `"1":{"name":"a","commit":"b","releaseId":1,"volumes":{},"networks":{},"services":{"1":{"serviceName":"a","imageId":1,"image":"a",${fields}}}}`,
  );

/** Above, at and below what is refused unread: 30,000 values of a body, 20,000 of a document. */
export const JSON_TEXTS: Readonly<Record<string, string>> = {
  'a list of ones': `[${fill('1,')}1]`,
  'as many ones as are read': `[${'1,'.repeat(29_990)}1]`,
  'lists in a list': `[${'[],'.repeat(14_990)}1]`,
  'maps in a list': `[${'{},'.repeat(14_990)}1]`,
  'lists in lists': fill('[', BYTES / 2) + fill(']', BYTES / 2),
  'maps in maps': fill('{"a":', BYTES),
  'as many names as are read': `{${pieces((at) => `"name-${at}":1,`, 29_990)}"z":1}`,
  'one name over and over': `{${'"a":1,'.repeat(29_990)}"z":1}`,
  'a long text': `{"a":"${fill('x')}"}`,
  'a text of escapes': `{"a":"${fill('\\u0041')}"}`,
  'a text of backslashes': `{"a":"${fill('\\\\')}"}`,
  'a text without an end': `{"a":"${fill('\\"')}`,
  'a long name': `{"${fill('x')}":1}`,
  'long numbers': `[${fill(`${'9'.repeat(300)},`)}1]`,
  blanks: `${fill(' ')}{}`,
  'unknown fields of a spec': app(`${pieces((at) => `"imagee${at}":1,`, 19_900)}"z":1`),
  'unknown fields of a document': `{"kind":"App",${pieces((at) => `"specc${at}":1,`, 19_900)}"z":1}`,
  'unknown metadata': `{"kind":"App","metadata":{${pieces((at) => `"namee${at}":1,`, 19_900)}"z":1}}`,
  'labels that are no text': `{"kind":"App","metadata":{"name":"a","labels":{${pieces((at) => `"l${at}":1,`, 19_900)}"z":1}}}`,
  'services without anything': app(`"services":{${pieces((at) => `"s${at}":{},`, 19_900)}"z":{}}`),
  'services with nothing but an image': app(`"services":{${pieces((at) => `"s${at}":{"image":"a"},`, 9_900)}"z":{}}`),
  'ranges of all ports': service(`"ports":[${pieces(() => '"1-65535:1-65535",', 19_900)}"1:1"]`),
  'services with all ports': app(
    `"services":{${pieces((at) => `"a${at}":{"image":"a","ports":["1-65535:1-65535"]},`, 9_900)}"z":{"image":"a"}}`,
  ),
  'tmpfs beside volumes': service(
    `"volumes":[${pieces((at) => `"v:/${at}",`, 9_000)}"v:/z"],"tmpfs":[${pieces((at) => `"/t${at}",`, 9_000)}"/t"]`,
  ),
  'names that are none': app(`"services":{${pieces((at) => `"-${at}":{"image":"a"},`, 9_900)}"z":{"image":"a"}}`),
  'ports that are none': service(`"ports":[${pieces((at) => `"x${at}",`, 19_900)}"z"]`),
  'ports and ports': service(`"ports":[${pieces((at) => `"${at % 65_535}:1",`, 19_900)}"1:1"]`),
  'volumes that are none': service(`"volumes":[${pieces((at) => `"/${at}:/x",`, 19_900)}"z"]`),
  variables: service(`"environment":{${pieces((at) => `"A${at}":"${'x'.repeat(40)}",`, 19_900)}"z":"1"}`),
  'a long duration': service(`"stop_grace_period":"${fill('1s')}x"`),
  'a long port': service(`"ports":["${fill('1:')}"]`),
  'a long command': service(`"command":"${fill("' ")}"`),
  'apps that are none': target(`${pieces((at) => `"${at}":1,`, 29_900)}"z":1`),
  'apps without a release': target(`${pieces((at) => `"${at + 1}":{"name":"a"},`, 9_900)}"99999999":{"name":"a"}`),
  'variables that are none': posted(`"labels":{},"environment":{${pieces((at) => `"${at}":1,`, 29_900)}"a":"1"}`),
  'labels that are none': posted(`"environment":{},"labels":{${pieces((at) => `"${at} ":1,`, 29_900)}"a":"1"}`),
  'unknown fields of a service': posted(`"environment":{},"labels":{},${pieces((at) => `"x${at}":1,`, 29_900)}"a":"1"`),
  'a contract of contracts': posted(
    `"environment":{},"labels":{},"contract":{"requires":[${pieces(() => '{"or":[{}]},', 9_000)}{}]}`,
  ),
};
