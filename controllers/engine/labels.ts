/** Labels that mark our objects. (docs/reference/composition.md §3.1; `io.supercargo.*` are our own.) */
export const SUPERVISED = 'io.balena.supervised';
export const APP_ID = 'io.balena.app-id';
export const APP_UUID = 'io.balena.app-uuid';
export const SERVICE_ID = 'io.balena.service-id';
export const SERVICE_NAME = 'io.balena.service-name';
/** Hash of the document (and the image id): decides whether it has changed. */
export const SPEC_HASH = 'io.supercargo.spec-hash';
/** Ids of requests, separated by blanks, that the object was created for. */
export const MADE_AFTER = 'io.supercargo.made-after';
/** Image reference in the document, which an engine that knows only the id of the image cannot tell. */
export const IMAGE = 'io.supercargo.image';
/** Boot of the device in which a container was created that is started with the next one. */
export const BOOT = 'io.supercargo.boot';
/** Id of the run of a job that the container is. */
export const RUN = 'io.supercargo.run';
/** When that run was due, RFC 3339; absent for a run that somebody asked for. */
export const SCHEDULED = 'io.supercargo.scheduled';
