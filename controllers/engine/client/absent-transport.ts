/**
 * Replaces in the bundle what dockerode brings and we never use: Docker over ssh, and BuildKit's gRPC session. (Half of
 * the start-up time and 15 MB of memory; see the `build` script.) Empty on purpose: a call would fail at once.
 */
export const Client = undefined;
