/** The Supervisor version whose API and behaviour we keep: clients compare it (`>=7.21.4`, `>=9.7.0`). */
export const SUPERVISOR_VERSION = '19.0.5';
