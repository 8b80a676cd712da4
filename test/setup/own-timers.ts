import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FakeClock } from './fake-clock.js';

interface OwnTimer {
  unref(): OwnTimer;
  ref(): OwnTimer;
}

/** Whoever takes Node's own timers gets those of the clock while the action runs. */
export async function withOwnTimers(clock: FakeClock, action: () => Promise<void>): Promise<void> {
  const { setTimeout: set, clearTimeout: clear, setInterval: repeat, clearInterval: end } = globalThis;
  const timers = new Map<object, () => void>();
  const make = (arm: (timer: object) => void): OwnTimer => {
    const timer: OwnTimer = { unref: () => timer, ref: () => timer };
    arm(timer);
    return timer;
  };
  const start = (call: () => void, ms = 0): OwnTimer => make((timer) => timers.set(timer, clock.after(ms, call)));
  const startAgain = (call: () => void, ms = 0): OwnTimer =>
    make(function arm(timer) {
      const fire = (): void => {
        arm(timer);
        call();
      };
      timers.set(timer, clock.after(ms, fire));
    });
  const stop = (timer?: object): void => void (timer && timers.get(timer)?.());
  Object.assign(globalThis, {
    ...{ setTimeout: start, clearTimeout: stop, setInterval: startAgain, clearInterval: stop },
  });
  try {
    await action();
  } finally {
    Object.assign(globalThis, { setTimeout: set, clearTimeout: clear, setInterval: repeat, clearInterval: end });
  }
}

/** Lets so many timers of a clock fire, one after the other, and what each stirs up come to an end. */
export async function fire(clock: FakeClock, times: number): Promise<void> {
  for (let count = 0; count < times; count += 1) {
    clock.step();
    for (let turn = 0; turn < 12; turn += 1) await nextTurn();
  }
}
