/** Of the command. Equal to package.json's; a test holds it. */
export const COMMAND_VERSION = '0.1.0';
