/** Loads images that are on the device as files, for sites without a network. */
export interface Archives {
  /**
   * Has the engine load the image if a file contains it. Waits a limited time for files that may contain it, and
   * without limit for one that is known to contain it. `onWait` gets the file, or undefined when none is waited for.
   */
  bring(reference: string, signal: AbortSignal, onWait?: (file: string | undefined) => void): Promise<boolean>;
  /** Tells whether the image came from a file, whoever asked for it: then it is not ours to delete. */
  holds(reference: string): boolean;
}
