/** What a key permits. */
export type Scope = { readonly type: 'global' } | { readonly type: 'app'; readonly appId: number };

/** API keys: one global, one for each (app, service) that asked for the API. Kept in `<data>/keys.json`, mode 0600. */
export interface Keys {
  readonly global: string;
  /** Returns the key of a service. The first call creates it and puts it on disk. 32 lower-case hex digits. */
  ofService(appId: number, serviceName: string): Promise<string>;
  /** The key that `ofService` has made; undefined when nobody has asked for one. Makes none. */
  known(appId: number, serviceName: string): string | undefined;
  /** Returns what a key permits; undefined for an unknown key. Compares in constant time. */
  scopeOf(key: string): Scope | undefined;
  /** Replaces a key; the old one is invalid at once. Undefined for an unknown key. */
  regenerate(key: string): Promise<string | undefined>;
}
