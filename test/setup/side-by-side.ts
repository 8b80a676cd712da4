import { Limiter } from '../../api/platform/turns.js';

/**
 * For tests of one `describe` that mostly wait: returns an `it` whose tests run so many at a time, begun in their order
 * before the first of them is reported. Each has to make what it works on by itself; hooks around single tests do not
 * apply to it.
 */
export function sideBySide(atATime: number): (what: string, test: () => Promise<void>) => void {
  const turns = new Limiter(atATime);
  const tests: (() => Promise<void>)[] = [];
  const results: Promise<void>[] = [];
  before(() => {
    for (const test of tests) {
      const result = turns.run(test);
      result.catch(() => undefined); // its `it` says so
      results.push(result);
    }
  });
  return (what, test) => {
    const place = tests.push(test) - 1;
    it(what, () => results[place]);
  };
}
