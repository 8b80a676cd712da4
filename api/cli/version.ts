/** Version of the command. A test holds it equal to package.json's. */
export const COMMAND_VERSION = '0.1.0';
