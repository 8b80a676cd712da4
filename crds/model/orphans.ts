/** A volume of an app that is gone, without a document. */
export interface OrphanedVolume {
  readonly name: string;
  readonly appId: number;
  readonly appUuid?: string;
  readonly driver: string;
  readonly mountpoint: string;
}

export type RemovalOfOrphan =
  | { readonly is: 'removed' | 'absent' }
  | { readonly is: 'in-use'; readonly by: readonly string[] };

/** Finds and removes orphaned volumes on the engine. */
export interface OrphanedVolumes {
  /**
   * Returns them as they were last seen, to be shown; throws when the engine has never been seen, because none is not
   * the same as unknown.
   */
  lastSeen(): readonly OrphanedVolume[];
  /** Returns them as they are now, to be removed; throws while the engine does not answer. */
  list(): readonly OrphanedVolume[];
  /** Returns why some of them may have an app all the same; undefined when every source has been read. */
  unsure(): string | undefined;
  /** Removes one with its data; `absent` for anything that is not in the list. */
  remove(name: string, signal: AbortSignal): Promise<RemovalOfOrphan>;
}
