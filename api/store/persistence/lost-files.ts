import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { keyOf, type Problem } from '../../../crds/model/kinds.js';
import { DEVICE_DOCUMENT } from '../../../crds/model/names.js';
import { isSetAside, withoutSetAside } from '../../platform/quarantine.js';
import type { OriginProblem } from '../problems.js';
import type { Store } from '../store.js';

/** The agent's own files in the data folder, and what it goes on without when one is unusable. */
const WITHOUT: Readonly<Record<string, string>> = {
  'device.json':
    'this device has a new uuid and counts as another device. The way back is a device.json with the old uuid',
  'keys.json':
    'all API keys are new: programs with an old one are refused until they are given a new one (supercargo key). ' +
    'The way back is a keys.json with the old ones',
  'commit.json': 'a change that had just been accepted may be missing. The way back is to apply it again',
  'tags.json': 'the tags of the device are gone. The way back is to set them again',
  'host.json':
    'it is not known what boot and network settings were before they were last changed, so that change cannot be taken back',
};

/**
 * Returns a problem for each of those files that was set aside. It stays as long as the set-aside file does, also over
 * restarts: removing the file confirms that somebody has seen it. Read each time.
 */
export function lostFiles(folder: string): readonly OriginProblem[] {
  return namesIn(folder)
    .filter(isSetAside)
    .flatMap((aside): readonly OriginProblem[] => {
      const name = withoutSetAside(aside);
      const without = WITHOUT[name];
      if (without === undefined) return [];
      const path = join(folder, aside);
      const message = `${name} could not be used and is kept as ${path}: ${without}. Remove ${aside} when this is dealt with`;
      return [{ message, origin: 'agent', source: { file: path } }];
    })
    .sort((a, b) => a.message.localeCompare(b.message));
}

/** Records an event at the device for each of these problems. */
export function recordLostFiles(store: Pick<Store, 'record'>, problems: readonly Problem[]): void {
  for (const { message } of problems) {
    store.record(keyOf('HostConfig', DEVICE_DOCUMENT), { type: 'Warning', reason: 'FileUnusable', message });
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // whoever needs the folder reports what is wrong with it
  }
}
