interface Deletable {
  readonly metadata: { readonly deletionTimestamp?: string };
}

/** Returns false once `deletionTimestamp` is set: a document being deleted no longer describes desired state. Pure. */
export const isActive = ({ metadata }: Deletable): boolean => metadata.deletionTimestamp === undefined;

/** Returns the document, or undefined once it is being deleted. Pure. */
export const ifActive = <T extends Deletable>(document: T | undefined): T | undefined =>
  document && isActive(document) ? document : undefined;
