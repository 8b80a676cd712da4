import type { Schedule } from '../../../crds/model/types.js';
import { CronTimes } from '../../runtime/cron-times.js';

/** The times of the schedules that were asked for last, by service. */
export class Timetables {
  readonly #known = new Map<string, { readonly key: string; readonly times: CronTimes }>();

  of(service: string, schedule: Schedule): CronTimes {
    const key = scheduleKey(schedule);
    const known = this.#known.get(service);
    if (known?.key === key) return known.times;
    const times = new CronTimes(schedule.cron, schedule.timeZone);
    this.#known.set(service, { key, times });
    return times;
  }

  forget(service: string): void {
    this.#known.delete(service);
  }
}

/** Identifies the times of a schedule, as the status keeps it. Pure. */
export const scheduleKey = ({ cron, timeZone }: Pick<Schedule, 'cron' | 'timeZone'>): string =>
  timeZone === undefined ? cron : `${cron} ${timeZone}`;
