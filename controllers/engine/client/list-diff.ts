import type { ContainerInfo } from 'dockerode';
import type { SeenContainer } from '../engine.js';

/** Differences to the present time that are tried, ms: ages are whole seconds at best, and the list was written a moment before. */
const SLACKS_MS = [-2_000, -1_000, 0, 1_000, 2_000];

/**
 * Tells whether a row of the container list agrees with an earlier inspection, so that another one would bring nothing
 * new. The row has no times, but its status text ("Up 3 hours (healthy)", "Exited (0) 5 minutes ago") is made from
 * them: the text that Docker would write for the known times has to be the text that it wrote. `created` never counts:
 * a failed start leaves no trace in the list. Pure.
 */
export function isUnchanged(row: ContainerInfo, seen: SeenContainer, nowMs: number): boolean {
  return (
    row.Id === seen.id &&
    row.State === seen.state &&
    row.State !== 'created' &&
    row.ImageID === seen.image &&
    row.Names.includes(`/${seen.name}`) &&
    sameNetworks(row, seen) &&
    SLACKS_MS.some((slack) => row.Status === statusText(seen, nowMs + slack))
  );
}

function sameNetworks(row: ContainerInfo, seen: SeenContainer): boolean {
  const attached = Object.entries(row.NetworkSettings?.Networks ?? {});
  return (
    attached.length === Object.keys(seen.networks).length &&
    attached.every(([name, { NetworkID }]) => seen.networks[name]?.id === NetworkID)
  );
}

/** Returns the status column as Docker writes it for a container. Pure. */
export function statusText(seen: SeenContainer, nowMs: number): string {
  const since = (time: string | undefined): string =>
    time === undefined ? '' : humanDuration((nowMs - Date.parse(time)) / 1000);
  switch (seen.state) {
    case 'running':
      return `Up ${since(seen.startedAt)}${seen.health ? ` (${seen.health === 'starting' ? 'health: starting' : seen.health})` : ''}`;
    case 'paused':
      return `Up ${since(seen.startedAt)} (Paused)`;
    case 'restarting':
      return `Restarting (${seen.exitCode}) ${since(seen.finishedAt)} ago`;
    case 'exited':
      return `Exited (${seen.exitCode}) ${since(seen.finishedAt)} ago`;
    case 'removing':
      return 'Removal In Progress';
    case 'dead':
      return 'Dead';
    case 'created':
      return 'Created';
  }
}

/** Returns a length of time as Docker writes it (docker/go-units, HumanDuration). Pure. */
export function humanDuration(seconds: number): string {
  const minutes = Math.trunc(seconds / 60);
  const hours = Math.trunc(seconds / 3600 + 0.5);
  if (seconds < 1) return 'Less than a second';
  if (seconds < 2) return '1 second';
  if (seconds < 60) return `${Math.trunc(seconds)} seconds`;
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.trunc(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.trunc(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.trunc(hours / 24 / 30)} months`;
  return `${Math.trunc(seconds / 3600 / 24 / 365)} years`;
}
