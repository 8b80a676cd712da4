/** One thing that has to be well, and how it is. Controllers make them, the API tells them. */
export interface HealthCheck {
  readonly name: string;
  readonly ok: boolean;
  /** One sentence: why it is not, or what is remarkable though it does no harm. */
  readonly message?: string;
}
