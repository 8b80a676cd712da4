/** The result of one health check. Controllers make it, the API shows it. */
export interface HealthCheck {
  readonly name: string;
  readonly ok: boolean;
  /** One sentence: why it fails, or what is remarkable although it does no harm. */
  readonly message?: string;
}
