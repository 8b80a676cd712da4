/** Images that lie on the device as files, for sites without a network. */
export interface Archives {
  /** Has the engine take in the image if a file holds it, once whatever is being read has been read. */
  bring(reference: string, signal: AbortSignal): Promise<boolean>;
  /** Whether the image came from a file, whoever asked for it: then it is not for us to collect. */
  holds(reference: string): boolean;
}
