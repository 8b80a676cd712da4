/** Facts about the device. Read once at start; the functions read what may change. */
export interface DeviceFacts {
  /** 32 lower-case hex digits, kept in `<data>/device.json` (or the boot partition's config.json). */
  readonly uuid: string;
  /** Slug of the boot partition's device-type.json; `generic-amd64` and the like without one. */
  readonly deviceType: string;
  /** `amd64`, `aarch64`, `armv7hf`, `rpi`, `i386`. */
  readonly arch: string;
  /** PRETTY_NAME of the host's os-release; '' when unknown. */
  readonly osVersion: string;
  /** VARIANT_ID of os-release; on balenaOS without one `dev` or `prod`. */
  readonly osVariant?: string | undefined;
  /** META_BALENA_VERSION of os-release: the version of balenaOS. */
  readonly metaVersion?: string | undefined;
  readonly boardRevision: string | undefined;
  /** Changes with every boot; undefined where the kernel does not say. */
  readonly bootId?: string | undefined;
  /** `/lib/modules` and `/lib/firmware` exist on the host. */
  readonly hasModules: boolean;
  readonly hasFirmware: boolean;
  /** Path of the engine's socket on the host. */
  readonly engineSocket: string;
  /** Port of the API. */
  readonly apiPort: number;
  hostname(): string;
}
