import { randomBytes } from 'node:crypto';
import { hostname as runningHostname } from 'node:os';
import { dirname, join } from 'node:path';
import { hasCode } from '../../../api/platform/errors.js';
import { parseMap, type Values } from '../../../crds/model/maps.js';
import type { BootFiles } from '../boot/boot-files.js';
import { type HostFs, nodeHostFs } from '../fs.js';
import { parseNoProxy, parseRedsocks } from './redsocks.js';

/** Network settings of the host, read from its files. */
export interface SeenNetwork {
  /** The host has a boot partition of balenaOS. */
  readonly hasBoot: boolean;
  /** `/etc/hostname`, trimmed. */
  readonly hostname: string | undefined;
  /** Host name in config.json, from which the OS writes `/etc/hostname`; undefined without one. */
  readonly configured: string | undefined;
  /** The system's name at this moment; undefined when it cannot be seen from here. */
  readonly running: string | undefined;
  readonly redsocks: string | undefined;
  readonly noProxy: string | undefined;
}

export interface HostNetworkOptions {
  /** Path under which the host's root is mounted for the agent. */
  readonly hostRoot: string;
  readonly files: BootFiles;
  readonly fs?: HostFs;
}

/** What `GET /v1/device/host-config` shows: with the credentials, as with the Supervisor. */
export interface ShownNetwork {
  readonly hostname: string;
  readonly proxy?: Readonly<Record<string, string | number | readonly string[]>>;
}

/** Reads and writes the files with the host's name and its proxy. Decides nothing. */
export class HostNetwork {
  readonly #configPath: string;
  readonly #redsocksPath: string;
  readonly #noProxyPath: string;
  readonly #hostnamePath: string;
  readonly #fs: HostFs;

  constructor(private readonly options: HostNetworkOptions) {
    const boot = join(options.hostRoot, 'mnt/boot');
    this.#configPath = join(boot, 'config.json');
    this.#redsocksPath = join(boot, 'system-proxy/redsocks.conf');
    this.#noProxyPath = join(boot, 'system-proxy/no_proxy');
    this.#hostnamePath = join(options.hostRoot, 'etc/hostname');
    this.#fs = options.fs ?? nodeHostFs;
  }

  async see(): Promise<SeenNetwork> {
    const { files, hostRoot } = this.options;
    const config = await files.read(this.#configPath);
    const redsocks = await files.read(this.#redsocksPath);
    return {
      hasBoot: config !== undefined || redsocks !== undefined,
      hostname: (await this.#fs.read(this.#hostnamePath))?.toString('utf8').trim(),
      configured: config === undefined ? undefined : hostnameIn(config),
      running: hostRoot === '/' ? runningHostname() : undefined,
      redsocks,
      noProxy: await files.read(this.#noProxyPath),
    };
  }

  async show(): Promise<ShownNetwork> {
    const { files } = this.options;
    const hostname = (await this.#fs.read(this.#hostnamePath))?.toString('utf8').trim();
    const redsocks = await files.read(this.#redsocksPath);
    const shown = { hostname: hostname ?? runningHostname() };
    if (redsocks === undefined) return shown;
    const { fields = {}, dns } = parseRedsocks(redsocks) ?? {};
    const noProxy = parseNoProxy((await files.read(this.#noProxyPath)) ?? '');
    return {
      ...shown,
      proxy: { ...fields, ...(dns === undefined ? {} : { dns }), ...(noProxy.length === 0 ? {} : { noProxy }) },
    };
  }

  /** Sets the name in config.json as it is at this moment, or removes it: others write that file too. */
  async configureHostname(hostname: string | undefined): Promise<void> {
    await this.options.files.update(this.#configPath, (text) => {
      if (text === undefined) throw new Error(`${this.#configPath} has gone`);
      return hostnameIn(text) === hostname ? text : withHostname(text, hostname);
    });
  }

  /** Writes `/etc/hostname`. In a container it is mounted from outside and cannot be replaced, only written. */
  async writeHostname(hostname: string): Promise<void> {
    const path = this.#hostnamePath;
    const bytes = Buffer.from(`${hostname}\n`);
    if ((await this.#fs.read(path))?.equals(bytes)) return;
    const temporary = join(dirname(path), `.hostname.${randomBytes(4).toString('hex')}.tmp`);
    try {
      await this.#fs.write(temporary, bytes);
      await this.#fs.rename(temporary, path);
    } catch (error) {
      await this.#fs.remove(temporary);
      if (!hasCode(error, 'EBUSY')) throw error;
      await this.#fs.write(path, bytes);
    }
    await this.#fs.sync(dirname(path));
  }

  /**
   * Writes redsocks.conf; an empty text removes it. Others may read it where the boot partition is not FAT, although it
   * may hold a password, because balenaOS runs redsocks as a user of its own.
   */
  writeRedsocks(text: string): Promise<void> {
    return this.#writeOrRemove(this.#redsocksPath, text);
  }

  /** Writes the `no_proxy` file; an empty text removes it. */
  writeNoProxy(text: string): Promise<void> {
    return this.#writeOrRemove(this.#noProxyPath, text);
  }

  async #writeOrRemove(path: string, text: string): Promise<void> {
    if (text === '') await this.options.files.remove(path);
    else await this.options.files.write(path, text);
  }
}

/** Reads `hostname` of a config.json; undefined when it has none. Pure; throws for anything but a JSON object. */
function hostnameIn(text: string): string | undefined {
  const { hostname } = fieldsOf(text);
  return typeof hostname === 'string' ? hostname : undefined;
}

/**
 * Returns the config.json with that host name, or without one, and everything else as it was, without white space as
 * the host OS expects it. Pure.
 */
const withHostname = (text: string, hostname: string | undefined): string =>
  JSON.stringify({ ...fieldsOf(text), hostname });

function fieldsOf(text: string): Values {
  const fields = parseMap(text);
  if (!fields) throw new Error('config.json of the boot partition is not a JSON object; it was left as it is');
  return fields;
}
