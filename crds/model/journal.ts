/** What to read from the host's journal, in journalctl's terms. */
export interface JournalQuery {
  readonly all?: boolean;
  readonly follow?: boolean;
  readonly unit?: string | undefined;
  readonly containerId?: string | undefined;
  readonly count?: number | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly format?: string | undefined;
}
