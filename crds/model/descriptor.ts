/** A column that lists show, as Kubernetes has it. `priority` above 0: only in wide lists. */
export interface Column {
  readonly name: string;
  readonly type: string;
  readonly jsonPath: string;
  readonly priority?: number;
}

/** Everything that the program knows of a kind besides its schemas; read from the kind's CRD by `npm run generate`. */
export interface Descriptor {
  /** As in `/apis/supercargo.io/v1/<plural>`, and the folder of its documents on disk. */
  readonly plural: string;
  /** The kind in lower case, as people write it. */
  readonly singular: string;
  readonly shortNames: readonly string[];
  /** Lists that contain the kind. `all`: what `supercargo get all` shows. */
  readonly categories: readonly string[];
  readonly description: string;
  readonly columns: readonly Column[];
  /** Requests that its controller carries out: the annotation `supercargo.io/requests`. */
  readonly requests: readonly string[];
  /** Finalizers of a new document: `supercargo.io/finalizers`. Without any it is removed at once. */
  readonly finalizers: readonly string[];
  /** The only names that its documents may have: `supercargo.io/names`. Empty: any. */
  readonly names: readonly string[];
  /** Only the agent writes its documents: `supercargo.io/read-only`. */
  readonly readOnly: boolean;
  /** Facts of the status that change too fast for a disk and have no meaning after a restart: `supercargo.io/in-memory`. */
  readonly inMemory: readonly string[];
}

/** The meaning of a condition's reason for people: one plain sentence each. */
export interface ReasonText {
  readonly meaning: string;
  readonly whatToDo: string;
}
