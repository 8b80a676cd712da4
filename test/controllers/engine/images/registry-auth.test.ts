import assert from 'node:assert/strict';
import {
  type AuthEntry,
  authOf,
  CredentialsError,
  entryOf,
} from '../../../../controllers/engine/images/registry-auth.js';
import { HUB } from '../../../../crds/model/image-reference.js';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const REGISTRY = 'r.example.com';
const LOGIN = { username: 'me', password: 'secret' };

describe('the credentials that an entry gives', () => {
  const rows: readonly { readonly it: string; readonly entry: AuthEntry; readonly want: object | undefined }[] = [
    { it: 'are none when it is empty', entry: {}, want: undefined },
    { it: 'are none without a name', entry: { username: '', password: 'secret' }, want: undefined },
    { it: 'are none without a password', entry: { username: 'me' }, want: undefined },
    { it: 'are name and password', entry: LOGIN, want: LOGIN },
    {
      it: 'may have an empty password',
      entry: { username: 'me', password: '' },
      want: { username: 'me', password: '' },
    },
    { it: 'are both in base64', entry: { auth: base64('me:secret') }, want: LOGIN },
    {
      it: 'may have colons in the password',
      entry: { auth: base64('me:a:b') },
      want: { username: 'me', password: 'a:b' },
    },
    { it: 'end where Docker pads them with zeros', entry: { auth: base64('me:secret\0\0') }, want: LOGIN },
    {
      it: 'are the base64 before the fields',
      entry: { auth: base64('me:secret'), username: 'x', password: 'y' },
      want: LOGIN,
    },
    { it: 'are a token before a login', entry: { ...LOGIN, identitytoken: 't' }, want: { identitytoken: 't' } },
    {
      it: 'are a token for that registry before one of an identity',
      entry: { identitytoken: 't', registrytoken: 'r' },
      want: { registrytoken: 'r' },
    },
  ];
  for (const { it: are, entry, want } of rows) {
    it(are, () => assert.deepEqual(authOf(entry, REGISTRY), want && { ...want, serveraddress: REGISTRY }));
  }

  it('are for the address that the Hub has had of old', () => {
    assert.equal(authOf(LOGIN, HUB)?.serveraddress, 'https://index.docker.io/v1/');
  });
  it('are refused when they are not what they claim, without being shown', () => {
    for (const auth of [base64('secret'), base64(':secret')]) {
      const message = 'auth is not username:password in base64';
      assert.throws(
        () => authOf({ auth }, REGISTRY),
        (error) => error instanceof CredentialsError && error.message === message,
      );
    }
  });
});

describe('an entry of credentials', () => {
  it('has the fields with a meaning, however they are written, and only texts', () => {
    const value = { Username: 'me', Secret: 's', password: 5, email: 'me@example.com', IdentityToken: 't' };
    assert.deepEqual(entryOf(value), { username: 'me', secret: 's', identitytoken: 't' });
  });
  it('is a map', () => {
    for (const value of [null, 'me:secret', 5]) {
      assert.throws(() => entryOf(value), {
        name: 'CredentialsError',
        message: 'Expected a map of username and password',
      });
    }
  });
});
