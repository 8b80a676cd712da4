/** What a key may do. */
export type Scope = { readonly type: 'global' } | { readonly type: 'app'; readonly appId: number };

/** API keys: one global, one for each (app, service) that asked for the API. Kept in `<data>/keys.json`, mode 0600. */
export interface Keys {
  readonly global: string;
  /** Made and put on disk at the first call, the same from then on. 32 lower-case hex digits. */
  ofService(appId: number, serviceName: string): Promise<string>;
  /** Who holds it; undefined for an unknown key. Constant-time comparison. */
  scopeOf(key: string): Scope | undefined;
  /** Replaces a key; the old one is dead at once. Undefined for an unknown key. */
  regenerate(key: string): Promise<string | undefined>;
}
