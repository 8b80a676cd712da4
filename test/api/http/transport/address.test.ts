import assert from 'node:assert/strict';
import { addressText, covers, parseAddress, parseAddresses } from '../../../../api/http/transport/address.js';

describe('parseAddresses', () => {
  const good: readonly [string, readonly string[]][] = [
    ['127.0.0.1:48484', ['127.0.0.1:48484']],
    ['0.0.0.0:48484, unix:/run/a.sock', ['0.0.0.0:48484', 'unix:/run/a.sock']],
    ['[::1]:80 localhost:81', ['[::1]:80', 'localhost:81']],
    ['[fe80::1%eth0]:80', ['[fe80::1%eth0]:80']],
    ['127.0.0.1:80,127.0.0.1:80', ['127.0.0.1:80']],
    ['127.0.0.1:80,0.0.0.0:80', ['0.0.0.0:80']],
    ['0.0.0.0:80,[::]:80', ['[::]:80']],
    ['0.0.0.0:80,[::1]:80', ['0.0.0.0:80', '[::1]:80']],
    ['127.0.0.1:0,127.0.0.1:0', ['127.0.0.1:0', '127.0.0.1:0']],
  ];
  for (const [text, want] of good) {
    it(`reads ${text}`, () => assert.deepEqual(parseAddresses(text).map(addressText), want));
  }
  for (const text of ['', ',', ' , ']) {
    it(`refuses "${text}", which names no address`, () =>
      assert.throws(() => parseAddresses(text), /no address to listen/));
  }
  for (const text of [
    '[:::]:80',
    '[127.0.0.1]:80',
    '[::1]',
    '[::1]:',
    'a/b:80',
    'http://a:80',
    '*:80',
    ':80',
    'x@y:80',
  ]) {
    it(`refuses ${text}`, () => assert.throws(() => parseAddress(text), /use host:port/));
  }
  for (const text of ['48484', 'host', 'host:', 'host:70000', 'unix:relative', '::1:80']) {
    it(`refuses ${text} and shows what is right`, () => assert.throws(() => parseAddress(text), /use host:port/));
  }
});

describe('covers', () => {
  const cases: readonly [one: string, other: string, want: boolean][] = [
    ['0.0.0.0:80', '10.114.104.1:80', true],
    ['[::]:80', '10.114.104.1:80', true],
    ['127.0.0.1:80', '10.114.104.1:80', false],
    ['0.0.0.0:81', '10.114.104.1:80', false],
    ['127.0.0.1:80', '127.0.0.1:80', true],
    ['0.0.0.0:80', '[::1]:80', false],
    ['unix:/a', '127.0.0.1:80', false],
    ['unix:/a', 'unix:/a', true],
  ];
  for (const [one, other, want] of cases) {
    it(`${one} ${want ? 'receives' : 'misses'} what is sent to ${other}`, () =>
      assert.equal(covers(parseAddress(one), parseAddress(other)), want));
  }
});
