import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** Headers by which a calling server proves who it is. */
export type HookHeaders = Readonly<Record<string, unknown>>;

/** Headers that contain a signature of the body: HMAC-SHA256 in hex, some with a prefix. */
const SIGNATURES = ['x-hub-signature-256', 'x-gitea-signature', 'x-forgejo-signature', 'x-gogs-signature'];

/** Tells whether a call has a signature: then its body has to be read to check the secret. Pure. */
export const isSigned = (headers: HookHeaders): boolean => SIGNATURES.some((name) => headers[name] !== undefined);

/**
 * Tells whether a call proves that it knows the secret: by a signature of its body (GitHub, Gitea, Forgejo, Gogs) or
 * the secret itself (GitLab's `X-Gitlab-Token`, `Authorization: Bearer`). One wrong proof rejects it, whatever the
 * others say. Takes the same time for every wrong guess. Pure.
 */
export function knowsSecret(headers: HookHeaders, body: Buffer, secret: string): boolean {
  if (secret === '') return false;
  const one = (name: string): string | undefined => {
    const value = headers[name];
    return value === undefined ? undefined : String(value);
  };
  const signature = createHmac('sha256', secret).update(body).digest('hex');
  const signs = SIGNATURES.flatMap((name) => {
    const given = one(name);
    return given === undefined ? [] : [same(given.replace(/^sha256=/, '').toLowerCase(), signature)];
  });
  const token = one('x-gitlab-token') ?? /^Bearer (.+)$/i.exec(one('authorization') ?? '')?.[1];
  if (token !== undefined) signs.push(same(token, secret));
  return signs.length > 0 && signs.every(Boolean);
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
const same = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b));
