import { openStore } from '../../../api/store/document-store.js';
import { aService, Log, proposal } from './fixtures.js';

/**
 * A process that is there to be killed: it proposes round after round to the store in the folder that it is given, and
 * prints each round once it was accepted and each status once it was flushed.
 */
const [folder = '', firstRound = '0'] = process.argv.slice(2);
const store = await openStore({ folder, now: () => Date.now(), log: new Log(), statusDelayMs: 1 });
for (let round = Number(firstRound); ; round += 1) {
  // One document comes and goes, the others change.
  const extra = round % 2 === 0 ? [aService('extra', `busybox:${round}`)] : [];
  const four = ['a', 'b', 'c', 'd'].map((name) => aService(name, `busybox:${round}`));
  await store.propose(proposal('files', [...four, ...extra]));
  process.stdout.write(`accepted ${round}\n`);
  for (const service of store.list('Service')) {
    store.setStatus(service, { state: `round ${round}` });
    if (service.metadata.deletionTimestamp) await store.release(service);
  }
  if (round % 3 > 0) continue;
  await store.flush();
  process.stdout.write(`flushed ${round}\n`);
}
