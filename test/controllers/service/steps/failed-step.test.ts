import assert from 'node:assert/strict';
import { EngineError, EngineUnreachable } from '../../../../controllers/engine/engine.js';
import { InvalidSpecError, TerminalError, TransientError } from '../../../../controllers/runtime/outcome.js';
import { refused } from '../../../../controllers/service/steps/failed-step.js';

/** The class of the error, its reason where it has one, and its message. */
function told(error: Error): string {
  if (error instanceof InvalidSpecError)
    return `InvalidSpecError: ${error.issues.map(({ path, message }) => `${path} ${message}`).join('; ')}`;
  if (error instanceof TerminalError) return `TerminalError ${error.reason}: ${error.message}`;
  if (error instanceof TransientError) return `TransientError ${error.reason}: ${error.message}`;
  if (error instanceof EngineError) return `EngineError ${error.statusCode}: ${error.message}`;
  return `Error: ${error.message}`;
}

describe('what the engine refused', () => {
  const CREATE = 'Could not create container web';
  const START = 'Could not start container web';
  const rows: readonly { it: string; what: string; error: unknown; want: RegExp; says?: boolean }[] = [
    {
      it: 'is tried again when what is in the way may go',
      what: START,
      error: new EngineError('driver failed: Bind for 0.0.0.0:80 failed: port is already allocated', 500),
      want: /^TransientError PortInUse: Could not start container web: port 0\.0\.0\.0:80 of the host is taken/,
      says: true,
    },
    {
      it: 'is a mistake in the document when Docker names one',
      what: START,
      error: new EngineError("Invalid address 10.9.9.9: It does not belong to any of this network's subnets", 500),
      want: /^InvalidSpecError: spec 10\.9\.9\.9 is in no subnet/,
      says: true,
    },
    {
      it: 'is a mistake in the document when a request to create is refused as such',
      what: CREATE,
      error: new EngineError('something new', 400),
      want: /^InvalidSpecError: spec the engine refuses it: something new$/,
      says: true,
    },
    {
      it: 'is tried again when a request to start is refused for what nobody knows',
      what: START,
      error: new EngineError('something new', 400),
      want: /^EngineError 400: Could not start container web: something new$/,
      says: true,
    },
    {
      it: 'is tried again when creating fails for what nobody knows',
      what: CREATE,
      error: new EngineError('something new', 500),
      want: /^EngineError 500: Could not create container web: something new$/,
      says: true,
    },
    {
      it: 'is nothing that was refused while the engine is away: nobody is told',
      what: START,
      error: new EngineUnreachable(),
      want: /^Error: Could not start container web$/,
    },
    {
      it: 'keeps any other error as its cause',
      what: START,
      error: new TypeError('x'),
      want: /^Error: Could not start container web$/,
    },
  ];
  for (const { it: what, what: doing, error, want, says = false } of rows) {
    it(what, () => {
      const said: string[] = [];
      const found = refused(doing, error, (due) => said.push(due));
      assert.match(told(found), want);
      assert.equal(said.length > 0, says);
      if (!says) assert.equal(found.cause, error);
    });
  }
});
