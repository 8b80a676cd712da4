/** Images that lie on the device as files, for sites without a network. */
export interface Archives {
  /**
   * Has the engine take in the image if a file holds it. Waits for files that may hold it for a limited time, and for one
   * that is known to hold it until it is taken in or cannot be. `onWait` is told the file, undefined when none is waited for.
   */
  bring(reference: string, signal: AbortSignal, onWait?: (file: string | undefined) => void): Promise<boolean>;
  /** Whether the image came from a file, whoever asked for it: then it is not for us to collect. */
  holds(reference: string): boolean;
}
