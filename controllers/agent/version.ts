/** Our own version, beside the Supervisor version that clients are told. Equal to package.json's; a test holds it. */
export const AGENT_VERSION = '0.1.0';
