import type { AnyResource } from '../../../crds/kinds.js';
import { CommandError, usageError } from '../failure.js';
import { objectPath, type Subject, subjectOf, subjectText } from '../kind-words.js';
import type { Session } from '../session.js';

const SUSPENDABLE = ['App', 'GitSource'];

/** `suspend`, `resume`: sets `spec.suspend` of a document that the API declared; any other has to be changed where it is declared. */
export async function suspend(session: Session, words: readonly string[], isSuspended: boolean): Promise<void> {
  const { io, json } = session;
  const client = await session.client();
  for (const subject of words.map((word) => subjectOf(word, 'App'))) {
    if (!SUSPENDABLE.includes(subject.kind))
      throw usageError(`A ${subject.kind} cannot be suspended`, 'Apps and git sources can');
    const before = await client.ask<AnyResource>('GET', objectPath(subject));
    const has = 'suspend' in before.spec && before.spec.suspend === true;
    if (has !== isSuspended) {
      checkOrigin(before, subject, isSuspended);
      const { suspend: _before, ...spec } = { suspend: undefined, ...before.spec };
      const { labels, annotations, resourceVersion, name } = before.metadata;
      const metadata = {
        name,
        resourceVersion,
        ...(labels ? { labels } : {}),
        ...(annotations ? { annotations } : {}),
      };
      await client.ask('PUT', objectPath(subject), { metadata, spec: isSuspended ? { ...spec, suspend: true } : spec });
    }
    const said = `${has === isSuspended ? 'already ' : ''}${isSuspended ? 'suspended' : 'resumed'}`;
    if (json)
      io.out(
        JSON.stringify({
          kind: subject.kind,
          name: subject.name,
          suspended: isSuspended,
          changed: has !== isSuspended,
        }),
      );
    else io.out(`${subjectText(subject)} ${said}`);
  }
}

function checkOrigin({ metadata: { origin, source } }: AnyResource, subject: Subject, isSuspended: boolean): void {
  if (origin === 'api') return;
  const where = source ? ` in ${source.file}${source.line === undefined ? '' : `:${source.line}`}` : '';
  throw new CommandError(`${subjectText(subject)} is declared by ${origin}${where}`, {
    hint: isSuspended ? 'Write suspend: true into its spec there.' : 'Take suspend: true out of its spec there.',
  });
}
