import assert from 'node:assert/strict';
import { maskedText, maskedTexts, secretsIn } from '../../../crds/model/masked-text.js';

describe('a text with its secrets masked', () => {
  const texts: readonly (readonly [text: string, want: string])[] = [
    ['serve --password=hush', 'serve --password=***'],
    ['serve --password hush --port 80', 'serve --password *** --port 80'],
    ['serve --password "hu sh" now', 'serve --password "***" now'],
    ["serve --db-password='hu;sh' now", "serve --db-password='***' now"],
    ['serve --password="a\\"b" now', 'serve --password="***" now'],
    ['serve -token hush', 'serve -token ***'],
    ['serve --accessKey hush', 'serve --accessKey ***'],
    ['--api-key=hu,sh&x;y', '--api-key=***'],
    ['serve --api-key=hu,sh;y now', 'serve --api-key=*** now'],
    ['java -Ddb.password=hush -jar a.jar', 'java -Ddb.password=*** -jar a.jar'],
    ['serve --no-auth --port 80', 'serve --no-auth --port 80'],
    ['-q -token hush', '-q -token ***'],
    ['DB_PASSWORD=hush serve', 'DB_PASSWORD=***'],
    ['exec env DB_PASSWORD=hush serve', 'exec env DB_PASSWORD=*** serve'],
    ['exec env DB_PASSWORD="hu sh" serve', 'exec env DB_PASSWORD="***" serve'],
    ['Server=db;Uid=me;AccountKey=hush;Port=1', 'Server=db;Uid=me;AccountKey=***;Port=1'],
    ['type=cifs,username=u,password=hush', 'type=cifs,username=u,password=***'],
    ['curl -H "Authorization: Basic aHVzaA==" http://h/', 'curl -H "Authorization: ***" http://h/'],
    ["curl -H 'X-Api-Key:hush' http://h/", "curl -H 'X-Api-Key:***' http://h/"],
    ['Bearer hush-hush', 'Bearer ***'],
    ['curl -d \'{"user":"me","password":"hu sh"}\' h', 'curl -d \'{"user":"me","password":"***"}\' h'],
    ['sh -c "curl -d {\\"password\\":\\"hush\\"} h"', 'sh -c "curl -d {\\"password\\":\\"***\\"} h"'],
    ['sh -c "login --token hush x"', 'sh -c "login --token *** x"'],
    ["X='exec env PASSWORD=hush serve'", "X='exec env PASSWORD=*** serve'"],
    ["exec env PASSWORD='hush serve", 'exec env PASSWORD=*** serve'],
    ['exec env PASSWORD=hu"s h"1 serve', 'exec env PASSWORD=*** serve'],
    ["curl -H 'Cookie: a=1,b=2' h", "curl -H 'Cookie: ***' h"],
    ['Cookie: a=1,b="2"', 'Cookie: ***'],
    ['curl -u me:hush http://h/', 'curl -u me:*** http://h/'],
    ['curl --user=me:hush http://h/', 'curl --user=me:*** http://h/'],
    ['postgres://me:hush@db:5432/x', 'postgres://***@db:5432/x'],
    ['redis://:hush@db', 'redis://***@db'],
    ['https://hush@github.com/a/b', 'https://***@github.com/a/b'],
    ['ssh://git@github.com/a/b', 'ssh://git@github.com/a/b'],
    ['auth-server:1.2', 'auth-server:1.2'],
    ['secrets:/run/x', 'secrets:/run/x'],
    ['http://h:80/a?token=hush&b=1', 'http://h:80/a?token=***&b=1'],
    ['serve --port 80 --mode=fast', 'serve --port 80 --mode=fast'],
  ];
  for (const [text, want] of texts) it(`is ${want} for ${text}`, () => assert.equal(maskedText(text), want));

  const lists: readonly (readonly [texts: readonly string[], want: readonly string[]])[] = [
    [
      ['serve', '--password', 'hu sh', '--port', '80'],
      ['serve', '--password', '***', '--port', '80'],
    ],
    [
      ['serve', '--token', '-hush', 'x'],
      ['serve', '--token', '***', 'x'],
    ],
    [
      ['serve', '--no-auth', '--port', '80'],
      ['serve', '--no-auth', '--port', '80'],
    ],
    [
      ['curl', '-u', 'me:hu:sh', 'http://h/'],
      ['curl', '-u', 'me:***', 'http://h/'],
    ],
    [
      ['CMD', 'curl', '-H', 'Authorization: Bearer hush'],
      ['CMD', 'curl', '-H', 'Authorization: ***'],
    ],
    [
      ['sh', '-c', 'login --secret hush && serve'],
      ['sh', '-c', 'login --secret *** && serve'],
    ],
    [
      ['A=1', 'DB_PASSWORD=a",b'],
      ['A=1', 'DB_PASSWORD=***'],
    ],
  ];
  for (const [given, want] of lists)
    it(`is ${want.join(' ')} for a list`, () => assert.deepEqual(maskedTexts(given), want));

  it('takes no longer for a long one', () => {
    const started = process.cpuUsage();
    for (const one of ['//:', '--a ', 'a: ', 'a=', '"', ' ', 'Bearer ', '{"a":', '-a "', 'a="b=', '-a '])
      maskedText(one.repeat(20_000));
    assert.ok(process.cpuUsage(started).user < 2_000_000);
  });

  it('is cut where it is longer than anybody reads', () => {
    const text = `serve --password=hush ${'x'.repeat(1_000_000)}`;
    assert.equal(maskedText(text), `serve --password=*** ${'x'.repeat(16_384 - 'serve --password=hush '.length)}***`);
    assert.equal(maskedText('a="\'\\'.repeat(200_000)).length < 20_000, true);
  });

  it('tells which they are', () => {
    assert.deepEqual(
      new Set(secretsIn(['serve', '--token', 'one', '--db-password=two', 'x -H "Authorization: three"'])),
      new Set(['one', 'two', 'three']),
    );
  });
});
