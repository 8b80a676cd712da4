import { timeoutSignal } from '../../../api/platform/time-limit.js';
import { visible } from '../../../api/platform/visible.js';
import { isMap } from '../../../crds/model/maps.js';
import { secretsIn } from '../../../crds/model/masked-text.js';
import { isSecretName } from '../../../crds/model/secret-names.js';
import type { Engine } from '../engine.js';

/** Lines that are kept, and characters of each: they go into conditions. */
const LINES = 3;
const LONGEST = 200;
/**
 * For the last lines. An engine answers only when it is done with starting or stopping the container, for which whoever asks
 * has to wait in any case.
 */
const READ_MS = 30_000;

/** A service, as far as what it prints may hold secrets. */
interface Printing {
  readonly spec: { readonly environment?: unknown; readonly entrypoint?: unknown; readonly command?: unknown };
}

/**
 * Reads the last lines of a container, without the values of variables that it may have printed: `services` are those whose
 * values it may know. What cannot be read is left out.
 */
export async function readLastLines(
  engine: Pick<Engine, 'pastLogs'>,
  container: string,
  services: readonly Printing[],
): Promise<readonly string[]> {
  const lines: string[] = [];
  const values = valuesOf(services);
  try {
    for await (const { message } of engine.pastLogs(container, { tail: LINES }, timeoutSignal(READ_MS))) {
      const text = visible(without(message, values), false).trim();
      if (text !== '') lines.push(text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text);
    }
  } catch {
    // The container is gone, its log driver keeps nothing, or the engine does not answer.
  }
  return lines.slice(-LINES);
}

/** Shorter values are words of every sentence, unless the name says that it is a secret. */
const SHORTEST = 6;

/** Values of variables of its services, which may be secrets, and the secrets in their arguments; the longest first. Pure. */
function valuesOf(services: readonly Printing[]): readonly string[] {
  const variables = services.flatMap(({ spec: { environment } }): readonly (readonly [string, string])[] => {
    if (!Array.isArray(environment)) return isMap(environment) ? Object.entries(environment).map(textOf) : [];
    return environment.map((one) => {
      const [name = '', ...rest] = String(one).split('=');
      return [name, rest.join('=')];
    });
  });
  const values = variables
    .filter(([name, { length }]) => length >= SHORTEST || (length > 0 && isSecretName(name)))
    .map(([, value]) => value);
  const secrets = services.flatMap(({ spec: { entrypoint, command } }) =>
    [entrypoint, command].flatMap((one) => secretsIn(textsOf(one))),
  );
  return [...values, ...secrets].filter(({ length }) => length > 0).toSorted((a, b) => b.length - a.length);
}

/** Arguments as they are written: one text, or a list. Pure. */
const textsOf = (value: unknown): readonly string[] =>
  (Array.isArray(value) ? value : [value]).filter((one) => typeof one === 'string');

const textOf = ([name, value]: readonly [string, unknown]) => [name, String(value ?? '')] as const;

const without = (text: string, values: readonly string[]): string =>
  values.reduce((left, value) => left.replaceAll(value, '***'), text);
