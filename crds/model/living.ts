interface Deletable {
  readonly metadata: { readonly deletionTimestamp?: string };
}

/** Whether it is to stay: nobody has deleted it. Pure. */
export const isLiving = ({ metadata }: Deletable): boolean => metadata.deletionTimestamp === undefined;

/** The document, unless it is being deleted: then it says nothing of what shall be. Pure. */
export const living = <T extends Deletable>(document: T | undefined): T | undefined =>
  document && isLiving(document) ? document : undefined;
