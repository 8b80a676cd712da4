/** Version of the agent. The Supervisor version that clients see is another one. A test holds it equal to package.json's. */
export const AGENT_VERSION = '0.1.0';
